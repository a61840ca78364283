// The corruption fuzzer: processes do operations on one object of every kind while random bytes are
// written into the files of these objects and into the registry. An operation may then return a
// result or a typed error. A crash, a hang, an endless loop or a write elsewhere is a failure.
//
//   npm run fuzz -- --minutes 10 --seed 7    (--platform=posix: the other half of the code;
//                                             --sanitize: under address and undefined sanitizers)
//
// Some things are not tried, because nothing is promised for them:
//
// - The bytes of a pthread mutex, which the linux platform has in an RLock and as the guard of a
//   Queue and a Barrier. The C library keeps there the links of each thread's list of robust
//   mutexes and follows them. On the posix platform the mutex is one word, which is tried.
// - A file that is cut shorter. Every process that has it mapped gets SIGBUS, as with any file.
// - The POSIX semaphores, which belong to the C library, too.
//
// The same seed makes the same choices. The machine decides at which moments they happen. The last
// line is `N passed, N failed`.
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { buildAddon, sanitizerEnvironment } from './build.mjs';
import { die, root } from './common.mjs';
import { drive, runDriver } from './drive.mjs';
import { Sandbox } from './sandbox.mjs';
import { hostPlatform } from './sources.mjs';
import { mutexesAreKnown } from '../test/fuzz/mutator.mjs';
import { chooseSeed } from '../test/programs/random.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(chooseSeed()) },
    platform: { type: 'string', default: hostPlatform },
    sanitize: { type: 'boolean', default: false },
  },
});
const { platform, sanitize } = values;
const minutes = Number(values.minutes);
const seed = Number(values.seed);
if (!(minutes > 0)) die('--minutes is a number above 0');
if (!Number.isInteger(seed)) die('--seed is a whole number');
if (!mutexesAreKnown(platform)) {
  die('where the mutexes are is known for glibc on x64 only; --platform=posix has none');
}

const sandbox = new Sandbox();
await drive(sandbox, async () => {
  const control = path.join(sandbox.directory, 'control');
  const env = { HOLDFAST_DIR: control };
  if (platform !== hostPlatform || sanitize) {
    const sanitizers = sanitize ? 'address,undefined' : '';
    env.HOLDFAST_NATIVE = await buildAddon({ platform, sanitize: sanitizers });
  }
  if (sanitize) Object.assign(env, sanitizerEnvironment());
  mkdirSync(control, { mode: 0o700 });
  const plan = { minutes, seed, platform, sanitize, sandbox: sandbox.directory };
  const code = await runDriver(`${root}/test/fuzz/driver.mjs`, plan, env);
  rmSync(control, { recursive: true, force: true });
  return code;
});
process.exit();
