// The JSON gateway of etcd over node:http: unary calls, each with a deadline, and streams.
//
// A call that the deadline ends may have had its effect. So nothing in here calls twice. In JSON
// numbers of 64 bits are strings, and fields that are 0, false or empty are left out.
import http from 'node:http';
import https from 'node:https';
import type tls from 'node:tls';
import { Deadline } from '../in-time.js';
import { type StreamListener, type WebSocket, openWebSocket } from './websocket.js';

/** Where the members are, and who asks. */
export interface GatewayOptions {
  readonly members: readonly { readonly host: string; readonly port: number }[];
  readonly tls: tls.ConnectionOptions | undefined;
  readonly user: string;
  readonly password: string;
  /** Milliseconds within which a call must be answered, from when it is sent. */
  readonly deadline: number;
}

/** What etcd answered instead of a result. */
export class GatewayError extends Error {
  /** The status that gRPC has for it. */
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** The statuses of gRPC that matter here. */
export const status = {
  invalid: 3,
  notFound: 5,
  permission: 7,
  precondition: 9,
  outOfRange: 11,
  unauthenticated: 16,
} as const;

const refusals: readonly number[] = Object.values(status);

/**
 * True if the call certainly had no effect. It may have had one if there was no answer, and also if
 * etcd answers that it is unavailable, late, or out of space. It says so of what it has begun, and
 * of the first command that goes over its quota, which it has done.
 */
export function isRefusal(error: unknown): boolean {
  return error instanceof GatewayError && refusals.includes(error.status);
}

/** One connection: one call after the other. */
class Line {
  readonly agent: http.Agent;
  /** Settles when the last call that was given has settled. */
  #last: Promise<unknown> = Promise.resolve();
  /** Ends the calls that stand in line. */
  #ended: { error?: Error } = {};

  constructor({ Agent }: typeof http | typeof https) {
    this.agent = new Agent({ keepAlive: true, maxSockets: 1 });
  }

  /** Starts the call when those before it have settled. */
  call<T>(start: () => Promise<T>): Promise<T> {
    const ended = this.#ended;
    const settled = this.#last.then(() => {
      if (ended.error !== undefined) throw ended.error;
      return start();
    });
    this.#last = settled.catch(() => {});
    return settled;
  }

  /** What stands in line rejects with the error. What comes later is tried. */
  end(error: Error): void {
    this.#ended.error = error;
    this.#ended = {};
  }
}

/** The connections to one member; after a failure to the next one. */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #commands: Line;
  /** Apart from the commands, so that a renewal never stands behind them. */
  readonly #renewals: Line;
  #member = 0;
  #authorization: string | undefined;

  constructor(options: GatewayOptions) {
    this.#options = options;
    const module = options.tls ? https : http;
    this.#commands = new Line(module);
    this.#renewals = new Line(module);
  }

  /** Asks for a token, which the calls after this one send. Does nothing without a user. */
  async authenticate(): Promise<void> {
    const { user, password } = this.#options;
    if (user === '') return;
    this.#authorization = undefined;
    const body = { name: user, password };
    const answer = await this.#send('/v3/auth/authenticate', body, this.#commands);
    this.#authorization = (answer as { token: string }).token;
  }

  /** Looks for a member that answers, whatever it says. Each has so many milliseconds. */
  async reach(deadline: number): Promise<void> {
    for (let left = this.#options.members.length; ; left--) {
      try {
        await this.#sendNow('/v3/maintenance/status', '{}', this.#commands, deadline);
        return;
      } catch (error) {
        if (error instanceof GatewayError) return;
        if (left === 1) throw error;
      }
    }
  }

  call<T>(path: string, body: unknown): Promise<T> {
    return this.#sendWithToken(path, body, this.#commands) as Promise<T>;
  }

  renew<T>(path: string, body: unknown): Promise<T> {
    return this.#sendWithToken(path, body, this.#renewals) as Promise<T>;
  }

  /** A token ends when it has not been used for some minutes, or when etcd was restarted. */
  async #sendWithToken(path: string, body: unknown, line: Line): Promise<unknown> {
    try {
      return await this.#send(path, body, line);
    } catch (error) {
      const isRefused = error instanceof GatewayError && error.status === status.unauthenticated;
      if (!isRefused || this.#authorization === undefined) throw error;
      // A command that was refused for its token has had no effect.
      await this.authenticate();
      return this.#send(path, body, line);
    }
  }

  /** True if calls have to say who makes them. */
  get hasUser(): boolean {
    return this.#options.user !== '';
  }

  /**
   * Opens a stream whose messages to etcd are all in `body`, on a connection of its own. It needs
   * no WebSocket, which cannot carry the token: etcd 3.4 does not take the token from there.
   */
  openBodyStream(path: string, body: string, listener: StreamListener): { destroy(): void } {
    let isOver = false;
    const end = (error: Error): void => {
      if (isOver) return;
      isOver = true;
      sent.destroy();
      this.#goOn();
      listener.ended(error);
    };
    const headers: http.OutgoingHttpHeaders = { 'Content-Length': Buffer.byteLength(body) };
    if (this.#authorization !== undefined) headers['Authorization'] = this.#authorization;
    const sent = this.#request(path, 'POST', headers, false);
    sent.on('error', end);
    sent.on('socket', (socket) => socket.unref());
    sent.on('response', (response) => {
      response.on('error', end);
      response.on('end', () => end(new Error('the server closed the stream')));
      let rest = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop()!;
        for (const line of lines) if (line !== '' && !isOver) listener.message(line);
      });
    });
    sent.end(body);
    return { destroy: () => ((isOver = true), sent.destroy()) };
  }

  /** Opens a stream of messages both ways, on a connection of its own. Not with a user. */
  async openStream(path: string, listener: StreamListener): Promise<WebSocket> {
    let sent: http.ClientRequest | undefined;
    const { deadline: longest } = this.#options;
    const deadline = new Deadline(longest, () => sent?.destroy(this.#late(path)));
    try {
      const opened = await openWebSocket((headers) => {
        sent = this.#request(path, 'GET', headers, false);
        return sent;
      }, listener);
      opened.unref();
      return opened;
    } catch (error) {
      this.#goOn();
      throw error;
    } finally {
      deadline.cancel();
    }
  }

  close(): void {
    for (const line of [this.#commands, this.#renewals]) {
      line.end(new Error('the connections to etcd are closed'));
      line.agent.destroy();
    }
  }

  #late(path: string, deadline = this.#options.deadline): Error {
    return new Error(`etcd did not answer ${path} within ${deadline} ms`);
  }

  #goOn(): void {
    this.#member = (this.#member + 1) % this.#options.members.length;
  }

  #request(
    path: string,
    method: string,
    headers: http.OutgoingHttpHeaders,
    agent: http.Agent | false,
  ): http.ClientRequest {
    const { host, port } = this.#options.members[this.#member]!;
    const { request } = this.#options.tls ? https : http;
    return request({ ...this.#options.tls, host, port, path, method, headers, agent });
  }

  #send(path: string, body: unknown, line: Line): Promise<unknown> {
    const text = JSON.stringify(body);
    return line.call(() => this.#sendNow(path, text, line));
  }

  #sendNow(
    path: string,
    text: string,
    line: Line,
    longest = this.#options.deadline,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const length = Buffer.byteLength(text);
      const headers: http.OutgoingHttpHeaders = { 'Content-Length': length };
      if (this.#authorization !== undefined) headers['Authorization'] = this.#authorization;
      const sent = this.#request(path, 'POST', headers, line.agent);
      // Destroys the connection, because the answers on it are no longer in step. Those behind it
      // would wait as long, one after the other.
      const deadline = new Deadline(longest, () => {
        const late = this.#late(path, longest);
        line.end(late);
        sent.destroy(late);
      });
      const fail = (error: Error): void => {
        deadline.cancel();
        // A member that the others have left answers too, and can do nothing.
        if (!isRefusal(error)) this.#goOn();
        reject(error);
      };
      sent.on('error', fail);
      sent.on('response', (response) => {
        const parts: Buffer[] = [];
        response.on('error', fail);
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => {
          deadline.cancel();
          try {
            resolve(readAnswer(Buffer.concat(parts).toString(), response.statusCode!));
          } catch (error) {
            fail(error as Error);
          }
        });
      });
      sent.end(text);
    });
  }
}

function readAnswer(text: string, httpStatus: number): unknown {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw new Error(`HTTP status ${httpStatus}, and no JSON: this is not the gateway of etcd`);
  }
  if (httpStatus === 200) return value;
  throw new GatewayError(String(value['error'] ?? text), Number(value['code'] ?? 0));
}

/** Bytes in JSON. */
export function toBase64(text: string): string {
  return Buffer.from(text).toString('base64');
}

export function fromBase64(text: string): string {
  return Buffer.from(text, 'base64').toString();
}

/** The key after all keys that begin with `prefix`. Its last byte is not 255. */
export function endOfPrefix(prefix: string): string {
  const bytes = Buffer.from(prefix);
  bytes[bytes.length - 1]!++;
  return bytes.toString('base64');
}
