// A cable between a client and a server that can be cut without either of them being told: what is
// sent meanwhile arrives when the cable is whole again.
import type net from 'node:net';
import { Relay } from './relay.js';

export class BlackHole extends Relay {
  readonly #sockets = new Set<net.Socket>();
  #isCut = false;

  protected override join(client: net.Socket, server: net.Socket): void {
    this.#carry(client, server);
    this.#carry(server, client);
  }

  #carry(from: net.Socket, to: net.Socket): void {
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

  override close(): void {
    super.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
