// LockManager against the web-platform-tests of Web Locks, which are the W3C's and not part of this
// repository. HOLDFAST_WPT names a folder that holds their web-locks/; test/fixtures/wpt in the
// repository of Node.js is one. Without it these tests are skipped.
//
// Each file runs in a worker thread and over a namespace of its own. Left out are what needs
// a browser (files of HTML, storage buckets) and the comparison with the IDL, which needs a parser.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';
import { Worker } from 'node:worker_threads';
import { LockManager } from 'holdfast';
import { freshName, programFile, until, within } from '../../support/index.js';
import { kind } from './helpers.js';

const leftOut = /^(storage-buckets|idlharness)\./;

const folder = process.env['HOLDFAST_WPT'];

describe('LockManager, web-platform-tests', () => {
  if (folder === undefined) {
    it('skipped: HOLDFAST_WPT names no folder that holds web-locks/');
    return;
  }
  const files = filesIn(folder);
  assert.ok(files.length > 0, `no tests in ${folder}/web-locks`);
  for (const file of files) describe(file, () => itPasses(folder, file));
});

/** A file that was tentative may be there under both names. Then the tentative one is the older. */
function filesIn(folder: string): string[] {
  const all = readdirSync(path.join(folder, 'web-locks'))
    .filter((name) => name.endsWith('.https.any.js') && !leftOut.test(name))
    .toSorted();
  return all.filter((name) => {
    const settled = name.replace('.tentative', '');
    return settled === name || !all.includes(settled);
  });
}

/** The titles of a file's tests: they are known before anything runs. */
function titlesIn(folder: string, file: string): string[] {
  const titles: string[] = [];
  const note = (_body: unknown, title: string) => titles.push(title);
  const source = readFileSync(path.join(folder, 'web-locks', file), 'utf8');
  vm.runInNewContext(source, { promise_test: note, test: note, setup() {} }, { filename: file });
  assert.ok(titles.length > 0, `no tests in ${file}`);
  return titles;
}

/** Defines the tests of one file. */
function itPasses(folder: string, file: string): void {
  const titles = titlesIn(folder, file);
  let manager: LockManager;
  let page: Worker;
  const answer = async () => (await within(once(page, 'message'), `an answer of ${file}`))[0];

  before(async () => {
    const namespace = freshName(kind);
    manager = new LockManager({ namespace });
    const workerData = { folder, namespace, script: file };
    page = new Worker(programFile('locks/wpt/page.mjs'), { workerData, execArgv: [] });
    assert.deepEqual(await answer(), titles);
  });

  for (const [index, title] of titles.entries()) {
    it(title, async () => {
      page.postMessage(index);
      const failure = await answer();
      if (failure !== null) throw new Error(failure);
    });
  }

  // A page that is closed holds nothing and waits for nothing, whatever its tests have left.
  after(async () => {
    await page.terminate();
    try {
      await until(async () => {
        const { held, pending } = await manager.query();
        return held.length + pending.length === 0;
      }, 'the end of all requests of a page');
    } finally {
      // A lock that the page held is news, for whose sake the table would stay.
      manager.unlink();
      manager.close();
    }
  });
}
