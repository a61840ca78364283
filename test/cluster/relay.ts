// A port in front of a server's. What becomes of a connection is up to who extends it.
import { once } from 'node:events';
import net from 'node:net';

export abstract class Relay {
  readonly #server: net.Server;

  constructor(port: number) {
    this.#server = net.createServer((client) => {
      this.join(client, net.connect(port, '127.0.0.1'));
    });
  }

  /** A client has come: `server` is its connection to the server. */
  protected abstract join(client: net.Socket, server: net.Socket): void;

  async open(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  close(): void {
    this.#server.close();
  }
}
