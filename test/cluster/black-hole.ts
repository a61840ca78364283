// A cable between a client and a server that can be cut without either of them being told: what is
// sent meanwhile arrives when the cable is whole again.
import { once } from 'node:events';
import net from 'node:net';

export class BlackHole {
  readonly #sockets = new Set<net.Socket>();
  readonly #server: net.Server;
  #isCut = false;

  constructor(port: number) {
    this.#server = net.createServer((client) => {
      const server = net.connect(port, '127.0.0.1');
      this.#join(client, server);
      this.#join(server, client);
    });
  }

  async open(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  #join(from: net.Socket, to: net.Socket): void {
    this.#sockets.add(from);
    from.on('data', (bytes: Buffer) => to.write(bytes));
    if (this.#isCut) from.pause();
    from.on('error', () => {});
    // An end does not get through a cut cable either.
    from.on('close', () => {
      this.#sockets.delete(from);
      if (!this.#isCut) to.destroy();
    });
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.pause();
  }

  mend(): void {
    this.#isCut = false;
    for (const socket of this.#sockets) socket.resume();
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
