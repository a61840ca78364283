// `holdfast dashboard`: who may see it, and what it says. scripts/dashboard-test.mjs drives the
// page in a browser.
import assert from 'node:assert/strict';
import { type IncomingMessage, request } from 'node:http';
import { Lock } from 'holdfast';
import { isOurHost } from '../../lib/cli/dashboard.js';
import { viewOf } from '../../lib/cli/dashboard-view.js';
import { History } from '../../lib/observe/history.js';
import { type Program, freshName, newActor, startCli, track, until } from '../support/index.js';

interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  body: string;
}

function ask(url: URL, options: { method?: string; host?: string } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = options.host === undefined ? {} : { host: options.host };
    const asked = request(url, { method: options.method ?? 'GET', headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () =>
        resolve({ status: response.statusCode!, headers: response.headers, body }),
      );
    });
    asked.on('error', reject).end();
  });
}

describe('holdfast dashboard', function () {
  this.timeout(180_000); // many processes, one after the other
  let program: Program;
  let url: URL;

  beforeEach(async () => {
    program = startCli(['dashboard']);
    url = new URL(await program.line('http://'));
  });

  const view = async () =>
    JSON.parse((await ask(new URL('view', url))).body) as Record<string, string>;

  it('the page allows its own script and style, and nothing else', async () => {
    const { status, headers, body } = await ask(url);
    assert.equal(status, 200);
    assert.match(String(headers['content-type']), /^text\/html/);
    const policy = String(headers['content-security-policy']);
    assert.match(policy, /default-src 'none'; script-src 'nonce-[\w-]+'; style-src 'nonce-/);
    const nonce = /script-src 'nonce-([\w-]+)'/.exec(policy)![1]!;
    assert.equal(body.split(`nonce="${nonce}"`).length, 3);
    assert.ok(!/https?:/.test(body), 'nothing from elsewhere');
    assert.equal(headers['x-frame-options'], 'DENY');
    assert.equal(headers['cache-control'], 'no-store');
  });

  it('says who holds, who waits and for whom; names are escaped', async () => {
    const lock = track(new Lock({ name: `${freshName('Lock')} <b>&"` }));
    const guard = lock.acquireSync();
    const actor = await newActor('process');
    const wait = (await actor.open('Lock', { name: lock.name })).acquire({ signal: 'live' });
    await wait.started;
    const escaped = lock.name.replace('<b>&"', '&lt;b&gt;&amp;&quot;');
    const isThere = async () => (await view())['waits']!.includes(escaped);
    await until(isThere, 'the wait on the page');
    const { objects, summary, timeline } = await view();
    assert.ok(objects!.includes(`<b>${escaped}</b>`));
    assert.ok(objects!.includes(`${process.pid} MainProcess`));
    assert.match(summary!, /\d+ objects, [1-9]\d* held, [1-9]\d* waits/);
    assert.ok(timeline!.includes(`${process.pid} MainProcess held it for`));
    assert.ok(timeline!.includes(`${actor.pid} MainProcess waited for`));
    for (const part of Object.values(await view())) assert.ok(!part.includes('<b>&"'));
    await wait.abort();
    await assert.rejects(wait);
    guard.release();
  });

  it('without the token: 403', async () => {
    for (const path of ['/', '/view', '/x/view', `${url.pathname.slice(0, -2)}/view`]) {
      assert.equal((await ask(new URL(path, url))).status, 403, path);
    }
    assert.equal((await ask(new URL('other', url))).status, 404);
  });

  it('another Host than the loopback address: 421', async () => {
    for (const host of [
      'example.com',
      `example.com:${url.port}`,
      '127.0.0.1',
      `[::1]:${url.port}`,
    ]) {
      assert.equal((await ask(url, { host })).status, 421, host);
    }
    assert.equal((await ask(url, { host: `localhost:${url.port}` })).status, 200);
  });

  it('a browser leaves out port 80, and no other', () => {
    assert.ok(isOurHost('127.0.0.1', 80) && isOurHost('localhost', 80));
    assert.ok(isOurHost('localhost:80', 80));
    assert.ok(!isOurHost('localhost', 81) && !isOurHost('example.com', 80));
  });

  it('minutes of what does not change take no more than one look at it', () => {
    const facts = { persistent: false, inUse: true, state: null, bytes: 1 };
    const one = { kind: 'Lock', name: 'x', ...facts } as const;
    const span_ms = 300_000;
    const history = new History(span_ms);
    const sizes = Array.from({ length: 600 }, (_, i) => {
      history.add([one], 500 * i);
      return viewOf(history, { now: 500 * i, span_ms }, 'here').objects.length;
    });
    assert.ok(sizes[599]! < sizes[0]! + 50, `${sizes[0]} characters, then ${sizes[599]}`);
  });

  it('nothing but reading: 405', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      assert.equal((await ask(url, { method })).status, 405, method);
    }
  });

  it('listens on 127.0.0.1 alone; a port that is taken is 71', async () => {
    assert.equal(url.hostname, '127.0.0.1');
    const second = startCli(['dashboard', '--port', url.port]);
    assert.equal((await second.end()).code, 71);
    const third = startCli(['dashboard', '--port', '70000']);
    assert.equal((await third.end()).code, 64);
  });

  it('ends by SIGTERM, with 0', async () => {
    program.signal('SIGTERM');
    assert.equal((await program.end()).code, 0);
  });
});
