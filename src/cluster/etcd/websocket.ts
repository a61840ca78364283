// As much of RFC 6455 as the gateway of etcd needs: a stream of text messages both ways, over one
// connection. An HTTP request could not carry it, because the gateway reads the whole body of a
// request before it answers.
import { createHash, randomBytes } from 'node:crypto';
import type http from 'node:http';
import type net from 'node:net';

const acceptSuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
const finalFrame = 0x80;
const masked = 0x80;
/** The longest message that is taken. Those of a watch are far shorter. */
const longestMessage = 64 * 2 ** 20;

export interface StreamListener {
  /** A whole message. */
  message(text: string): void;
  /** Called once, when the connection has ended, however it ended. */
  ended(error: Error): void;
}

/** Sends the handshake. `request` makes the HTTP request with the headers that it is given. */
export function openWebSocket(
  request: (headers: http.OutgoingHttpHeaders) => http.ClientRequest,
  listener: StreamListener,
): Promise<WebSocket> {
  const key = randomBytes(16).toString('base64');
  const accept = createHash('sha1')
    .update(key + acceptSuffix)
    .digest('base64');
  return new Promise((resolve, reject) => {
    const sent = request({
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Key': key,
      'Sec-WebSocket-Version': '13',
    });
    sent.once('error', reject);
    sent.once('response', (response) => {
      response.resume();
      reject(new Error(`no WebSocket: HTTP status ${response.statusCode}`));
    });
    sent.once('upgrade', (response, socket, head) => {
      if (response.headers['sec-websocket-accept'] !== accept) {
        socket.destroy();
        reject(new Error('no WebSocket: the server did not accept the handshake'));
        return;
      }
      resolve(new WebSocket(socket as net.Socket, head, listener));
    });
    sent.end();
  });
}

/** An open WebSocket. */
export class WebSocket {
  readonly #socket: net.Socket;
  readonly #listener: StreamListener;
  /** What has arrived and is not a whole frame yet. */
  #bytes: Buffer;
  /** The frames of a message that is not whole yet. */
  #parts: Buffer[] = [];
  #hasEnded = false;

  constructor(socket: net.Socket, head: Buffer, listener: StreamListener) {
    this.#socket = socket;
    this.#listener = listener;
    this.#bytes = head;
    socket.on('data', (bytes: Buffer) => {
      this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
      this.#read();
    });
    socket.once('error', (error: Error) => this.#end(error));
    socket.once('close', () => this.#end(new Error('the connection was closed')));
    if (head.length > 0) process.nextTick(() => this.#read());
  }

  send(text: string): void {
    this.#sendFrame(opcodes.text, Buffer.from(text));
  }

  /** The connection does not keep the process alive. */
  unref(): void {
    this.#socket.unref();
  }

  /** Ends the connection at once. `ended()` is not called. */
  destroy(): void {
    this.#hasEnded = true;
    this.#socket.destroy();
  }

  #end(error: Error): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#socket.destroy();
    this.#listener.ended(error);
  }

  /** A client masks what it sends. */
  #sendFrame(opcode: number, payload: Buffer): void {
    if (this.#hasEnded) return;
    const { length } = payload;
    let header: Buffer;
    if (length < 126) {
      header = Buffer.from([finalFrame | opcode, masked | length]);
    } else if (length < 2 ** 16) {
      header = Buffer.from([finalFrame | opcode, masked | 126, length >> 8, length & 0xff]);
    } else {
      header = Buffer.alloc(10);
      header[0] = finalFrame | opcode;
      header[1] = masked | 127;
      header.writeBigUInt64BE(BigInt(length), 2);
    }
    const mask = randomBytes(4);
    for (let i = 0; i < length; i++) payload[i]! ^= mask[i & 3]!;
    this.#socket.write(Buffer.concat([header, mask, payload]));
  }

  #read(): void {
    while (!this.#hasEnded) {
      const frame = this.#nextFrame();
      if (frame === undefined) return;
      this.#take(frame.opcode, frame.isFinal, frame.payload);
    }
  }

  #nextFrame(): { opcode: number; isFinal: boolean; payload: Buffer } | undefined {
    const bytes = this.#bytes;
    if (bytes.length < 2) return undefined;
    let length = bytes[1]! & 0x7f;
    let start = 2;
    if (length === 126) {
      if (bytes.length < 4) return undefined;
      length = bytes.readUInt16BE(2);
      start = 4;
    } else if (length === 127) {
      if (bytes.length < 10) return undefined;
      length = Number(bytes.readBigUInt64BE(2));
      start = 10;
    }
    if (length > longestMessage) {
      this.#end(new Error(`a message of ${length} bytes`));
      return undefined;
    }
    if (bytes.length < start + length) return undefined;
    this.#bytes = bytes.subarray(start + length);
    const payload = bytes.subarray(start, start + length);
    return { opcode: bytes[0]! & 0x0f, isFinal: (bytes[0]! & finalFrame) !== 0, payload };
  }

  #take(opcode: number, isFinal: boolean, payload: Buffer): void {
    switch (opcode) {
      case opcodes.continuation:
      case opcodes.text:
      case opcodes.binary: {
        this.#parts.push(payload);
        if (!isFinal) return;
        const message = Buffer.concat(this.#parts).toString();
        this.#parts = [];
        this.#listener.message(message);
        return;
      }
      case opcodes.ping:
        this.#sendFrame(opcodes.pong, Buffer.from(payload));
        return;
      case opcodes.close:
        this.#end(new Error('the server closed the stream'));
        return;
      default:
    }
  }
}
