// A front of etcd's gateway that does what is asked, and says once that it could not.
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';

export class Liar {
  readonly #port: number;
  readonly #front: http.Server;
  readonly #sockets = new Set<net.Socket>();
  #liesAbout: string | undefined;
  #lie = '';

  constructor(port: number) {
    this.#port = port;
    this.#front = http.createServer((request, response) => {
      this.#forward(request, response).catch(() => response.destroy());
    });
    this.#front.on('upgrade', (request, socket, head) => {
      const server = net.connect(port, '127.0.0.1');
      for (const end of [socket, server] as net.Socket[]) {
        this.#sockets.add(end);
        end.on('error', () => {});
        end.on('close', () => this.#sockets.delete(end));
      }
      const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`);
      server.write(`${request.method} ${request.url} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
      server.write(head);
      server.pipe(socket).pipe(server);
    });
  }

  async start(): Promise<this> {
    this.#front.listen(0, '127.0.0.1');
    await once(this.#front, 'listening');
    return this;
  }

  get url(): string {
    return `etcd://127.0.0.1:${(this.#front.address() as net.AddressInfo).port}`;
  }

  /** Of the next command with that text in it, with one of the errors of etcd. */
  lieAbout(text: string, error = 'etcdserver: request timed out', code = 14): void {
    this.#liesAbout = text;
    this.#lie = JSON.stringify({ error, code });
  }

  get hasLied(): boolean {
    return this.#liesAbout === undefined;
  }

  async remove(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#front.closeAllConnections();
    this.#front.close();
  }

  async #forward(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const body = Buffer.concat(await request.toArray());
    const answer = await fetch(`http://127.0.0.1:${this.#port}${request.url}`, {
      method: request.method!,
      ...(body.length > 0 && { body }),
    });
    const text = await answer.text();
    const lies = this.#liesAbout !== undefined && body.includes(this.#liesAbout);
    if (lies) this.#liesAbout = undefined;
    response.writeHead(lies ? 503 : answer.status);
    response.end(lies ? this.#lie : text);
  }
}
