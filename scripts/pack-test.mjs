// Installs the packed tarball into a fresh directory, as a user would. Takes a lock there, and one
// at navigator.locks: from an ES module, and by require() from CommonJS.
//
//   node scripts/pack-test.mjs [tarball]

import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { isMain, mustRun, run, Tally } from './common.mjs';
import { Sandbox } from './sandbox.mjs';

const watchdogMs = 5 * 60_000;

const useLock = `
  const lock = new Lock();
  const guard = lock.acquireSync();
  if (!lock.locked()) throw new Error('taken, and yet not locked');
  guard.release();
  if (lock.locked()) throw new Error('released, and yet locked');
  lock.close();
  console.log('took a lock and gave it back');
`;

const requestLock = `
  navigator.locks.request('it', (lock) => {
    if (navigator.locks !== locks || lock.mode !== 'exclusive') throw new Error('not ours');
    console.log('requested a lock');
  });
`;

const programs = {
  'module.mjs': `import { Lock } from 'holdfast';\n${useLock}`,
  'navigator.mjs': `
    import 'holdfast/navigator-locks';\nimport { locks } from 'holdfast';\n${requestLock}`,
  'navigator.cjs': `
    require('holdfast/navigator-locks');\nconst { locks } = require('holdfast');\n${requestLock}`,
  'common.cjs': `const { Lock } = require('holdfast');\n${useLock}`,
};

/** `npm pack` into a directory; returns the tarball's path and the files in it. */
export async function pack(directory) {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', directory];
  const { code, output } = await run('npm', args, { capture: true, echo: false });
  if (code !== 0) throw new Error(`npm pack failed (exit code ${code})`);
  const [packed] = JSON.parse(output);
  return {
    tarball: path.join(directory, packed.filename),
    files: packed.files.map((file) => file.path),
  };
}

/** Makes a temporary directory for the time that a function runs. */
export async function withTemporary(fn) {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'hf-pack-'));
  try {
    return await fn(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * Installs the tarball and runs programs there. With `prebuilt` no script runs at the installation.
 */
export async function testPacked(tally, tarball, { prebuilt = false } = {}) {
  const how = prebuilt ? ' with --ignore-scripts' : '';
  await withTemporary(async (directory) => {
    const options = { cwd: directory, timeoutMs: watchdogMs };

    await tally.check(`the tarball installs${how}`, async () => {
      await writeFile(path.join(directory, 'package.json'), '{"private": true}\n');
      const args = ['install', '--no-audit', '--no-fund', '--foreground-scripts'];
      if (prebuilt) args.push('--ignore-scripts');
      await mustRun('npm', [...args, tarball], options);
      const installed = path.join(directory, 'node_modules/holdfast');
      const compiled = existsSync(path.join(installed, 'build/Release/holdfast.node'));
      const shipped = existsSync(path.join(installed, 'prebuilds'));
      if (prebuilt && compiled) throw new Error('it was compiled all the same');
      if (!compiled && !shipped) throw new Error('there is no addon after the install');
      console.log(compiled ? 'compiled from source' : 'took the prebuilt binary');
    });

    await tally.check(`the command of the installed package${how}`, async () => {
      const command = path.join(directory, 'node_modules/.bin/holdfast');
      const sandbox = new Sandbox();
      try {
        const env = { ...sandbox.env, HOLDFAST_NATIVE: '' };
        await mustRun(command, ['run', 'packed', '--', command, 'show', 'Lock', 'packed'], {
          ...options,
          env,
        });
      } finally {
        sandbox.remove();
      }
    });

    for (const [file, text] of Object.entries(programs)) {
      await tally.check(`the installed package works${how}: ${file}`, async () => {
        await writeFile(path.join(directory, file), text);
        const sandbox = new Sandbox();
        try {
          const env = { ...sandbox.env, HOLDFAST_NATIVE: '' };
          await mustRun(process.execPath, [file], { ...options, env });
        } finally {
          sandbox.remove();
        }
      });
    }
  });
}

if (isMain(import.meta)) {
  const tally = new Tally();
  await withTemporary(async (directory) => {
    await testPacked(tally, process.argv[2] ?? (await pack(directory)).tarball);
  });
  tally.finish();
}
