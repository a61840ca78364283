// `holdfast dashboard`: what `ls`, `waits` and `top` show, as a page on the loopback address.
//
// The page shows names of objects and processes, so other users of the machine must not read it,
// and neither must web pages that the user has open. So every address begins with a token that only
// standard output tells. A page that makes a name of its own point to 127.0.0.1 is refused by the
// Host header. Nothing can be changed through it.
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { History } from '../observe/history.js';
import { enterDirectory } from '../objects/shared.js';
import { clearInterval, now, setInterval } from '../waiting/clock.js';
import { type Command, exit, numberOption, read, say } from './command.js';
import { page } from './dashboard-page.js';
import { viewOf } from './dashboard-view.js';
import { type Source, sourceHelp, sourceOf, sourceOptions } from './source.js';

const span_ms = 5 * 60_000;
const interval_ms = 500;

function isSame(given: string, token: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(token)];
  return one.length === other.length && timingSafeEqual(one, other);
}

export function isOurHost(host: string | undefined, port: number): boolean {
  // A browser leaves port 80 out.
  const end = port === 80 && !host?.includes(':') ? '' : `:${port}`;
  return host === `127.0.0.1${end}` || host === `localhost${end}`;
}

const headers = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { ...headers, 'Content-Type': `${type}; charset=utf-8` });
  response.end(body);
}

interface Served {
  readonly token: string;
  readonly port: number;
  /** What the page shows now, as JSON. */
  view(): string;
}

/** Made once for each look, however many clients ask for it. */
function viewer(history: History, where: string): () => string {
  let text = '';
  let of: History['latest'] | undefined;
  return () => {
    if (of !== history.latest) {
      text = JSON.stringify(viewOf(history, { now: now(), span_ms }, where));
      of = history.latest;
    }
    return text;
  };
}

function answer(
  { method, url = '', headers: { host } }: IncomingMessage,
  response: ServerResponse,
  { token, port, view }: Served,
): void {
  const refuse = (status: number, why: string) => send(response, status, 'text/plain', `${why}\n`);
  if (!isOurHost(host, port)) return refuse(421, 'this server answers to 127.0.0.1 only');
  const [, given = '', what] = url.split('/', 3);
  if (!isSame(given, token) || what === undefined) {
    return refuse(403, 'the address needs the token that holdfast dashboard has printed');
  }
  if (method !== 'GET' && method !== 'HEAD') return refuse(405, 'nothing can be changed here');
  if (what === 'view') return send(response, 200, 'application/json', view());
  if (what !== '') return refuse(404, 'there is no such page');
  const nonce = randomBytes(16).toString('base64url');
  const allowed = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  response.setHeader('Content-Security-Policy', allowed.join('; '));
  send(response, 200, 'text/html', page(nonce));
}

function serve(port: number, source: Source, where: string): Promise<number> {
  const token = randomBytes(24).toString('base64url');
  const history = new History(span_ms);
  const view = viewer(history, where);
  const server = createServer((request, response) => {
    const { port: bound } = server.address() as AddressInfo;
    answer(request, response, { token, port: bound, view });
  });
  let isLooking = false;
  const look = async () => {
    if (isLooking) return;
    isLooking = true;
    try {
      history.add(await source.next(), now());
    } catch (error) {
      say(`dashboard: ${(error as Error).message}`);
    }
    isLooking = false;
  };
  return new Promise((resolve) => {
    const timer = setInterval(() => void look(), interval_ms);
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    const end = (code: number) => {
      clearInterval(timer);
      for (const signal of signals) process.off(signal, onSignal);
      server.close(() => resolve(code));
      server.closeAllConnections();
    };
    const onSignal = () => end(exit.ok);
    for (const signal of signals) process.on(signal, onSignal);
    server.on('error', (error) => {
      say(`dashboard: ${error.message}`);
      end(exit.system);
    });
    server.listen(port, '127.0.0.1', async () => {
      await look();
      const { port: bound } = server.address() as AddressInfo;
      process.stdout.write(`http://127.0.0.1:${bound}/${token}/\n`);
    });
  });
}

export const dashboard: Command = {
  summary: 'show all objects as a page on the loopback address',
  help: `usage: holdfast dashboard [--port N] [--url URL [--namespace NAME]]

Prints the address of a page that shows all objects, live: a table with charts of the last five
minutes, the graph of waits, and a timeline of who held and who waited. It looks twice a second.
The page changes nothing. It is served on 127.0.0.1 only, and its address has a token: who does not
know it sees nothing. Ends by SIGINT, SIGTERM or SIGHUP.

  --port N          the port, 1 to 65535; without it any that is free
${sourceHelp}

Exit codes: 0; 64 wrong arguments; 71 the system refused something, such as a port that is taken.
`,
  run(args) {
    const { values } = read(args, { port: { type: 'string' }, ...sourceOptions });
    const port = numberOption(values, 'port', 1, 65_535) ?? 0;
    const source = sourceOf(values);
    // A URL may have a password in it.
    const { url, namespace = 'default' } = values;
    const where = source.isEngine
      ? `${String(url).split(':')[0]}, namespace ${String(namespace)}`
      : enterDirectory();
    return serve(port, source, where).finally(() => source.close());
  },
};
