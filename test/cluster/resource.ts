// What a lock guards, in another process than its holder: it refuses a writer whose token is less
// than the greatest that it has seen.
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

export class Resource {
  /** The tokens of the writes that it took, in order; those that follow each other once. */
  readonly accepted: bigint[] = [];
  readonly refused: bigint[] = [];
  readonly #server = http.createServer((request, response) => {
    response.end(this.write(BigInt(request.url!.slice(1))));
  });

  async open(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get port(): string {
    return String((this.#server.address() as AddressInfo).port);
  }

  write(token: bigint): 'accepted' | 'refused' {
    const greatest = this.accepted.at(-1) ?? 0n;
    if (token < greatest) {
      this.refused.push(token);
      return 'refused';
    }
    if (token > greatest) this.accepted.push(token);
    return 'accepted';
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
