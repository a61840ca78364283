// A cable between a client and a server that keeps what goes through it, so that a test can count
// messages.
import type net from 'node:net';
import type { EngineName } from 'holdfast';
import { Relay } from './relay.js';

interface Traffic {
  /** The names of the commands, in order. */
  readonly commands: string[];
  /** How many messages the server has sent by itself. */
  readonly pushes: number;
}

type Reader = (sent: Buffer, answered: Buffer) => Traffic;

function captures(bytes: Buffer, pattern: RegExp): string[] {
  return [...bytes.toString('latin1').matchAll(pattern)].map((found) => found[1]!);
}

/** Messages of PostgreSQL: a letter and a length. The client's first one has no letter. */
function* messages(bytes: Buffer, start: number): Generator<[string, Buffer]> {
  for (let at = start; at + 5 <= bytes.length; ) {
    const end = at + 1 + bytes.readInt32BE(at + 1);
    yield [String.fromCharCode(bytes[at]!), bytes.subarray(at + 5, end)];
    at = end;
  }
}

const readers: Partial<Record<EngineName, Reader>> = {
  postgres: (sent, answered) => {
    const start = sent.length < 4 ? 0 : sent.readInt32BE(0);
    const binds = [...messages(sent, start)].filter(([letter]) => letter === 'B');
    const statements = binds.map(([, body]) => body.toString('latin1').split('\0')[1]!);
    const pushes = [...messages(answered, 0)].filter(([letter]) => letter === 'A').length;
    const ours = statements.filter((name) => name.startsWith('holdfast.'));
    return { commands: ours.map((name) => name.slice('holdfast.'.length)), pushes };
  },
  redis: (sent, answered) => ({
    // EVALSHA, the script, one key, and the name of the operation.
    commands: captures(
      sent,
      /evalsha\r\n\$40\r\n\w+\r\n\$1\r\n1\r\n\$\d+\r\n.*\r\n\$\d+\r\n(\w+)/gi,
    ),
    pushes: captures(answered, /\$7\r\n(message)\r\n/g).length,
  }),
  etcd: (sent, answered) => ({
    commands: captures(sent, /POST \/v3\/(\S+)/g),
    pushes: captures(answered, /("events":)/g).length,
  }),
};

/** What went through one connection. */
interface Kept {
  readonly sent: Buffer[];
  readonly answered: Buffer[];
  /** What take() has returned of it. */
  taken: Traffic;
}

export class Tap extends Relay {
  readonly #read: Reader;
  readonly #sockets = new Map<net.Socket, Kept>();

  constructor(engine: EngineName, port: number) {
    super(port);
    this.#read = readers[engine]!;
  }

  protected override join(client: net.Socket, server: net.Socket): void {
    const kept: Kept = { sent: [], answered: [], taken: { commands: [], pushes: 0 } };
    this.#sockets.set(client, kept);
    client.on('data', (bytes: Buffer) => (kept.sent.push(bytes), server.write(bytes)));
    server.on('data', (bytes: Buffer) => (kept.answered.push(bytes), client.write(bytes)));
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => {});
      one.on('close', () => other.destroy());
    }
  }

  /** What has gone through since the last call of this. */
  take(): Traffic {
    const commands: string[] = [];
    let pushes = 0;
    for (const one of this.#sockets.values()) {
      const all = this.#read(Buffer.concat(one.sent), Buffer.concat(one.answered));
      commands.push(...all.commands.slice(one.taken.commands.length));
      pushes += all.pushes - one.taken.pushes;
      one.taken = all;
    }
    return { commands, pushes };
  }

  /** How many bytes the server has sent. */
  get answeredBytes(): number {
    const parts = [...this.#sockets.values()].flatMap(({ answered }) => answered);
    return parts.reduce((sum, { length }) => sum + length, 0);
  }

  override close(): void {
    super.close();
    for (const socket of this.#sockets.keys()) socket.destroy();
  }
}
