// Makes a fresh clone ready: dependencies, the addon, the TypeScript. It does only what is not done
// yet, and says so. `npm test`, `npm run demo` and other commands begin with it.
//
//   node scripts/setup.mjs                  all three
//   node scripts/setup.mjs --dependencies   the first only

import { buildAddon, buildTypeScript } from './build.mjs';
import { die, hashOf, isDone, knowOnly, markDone, mustRun, option, say } from './common.mjs';

async function installDependencies() {
  const stamp = 'node_modules/.holdfast-setup';
  const hash = hashOf(['package-lock.json']);
  if (isDone(stamp, hash, 'node_modules')) return;
  say('installing dependencies (npm ci)');
  // Runs no scripts, because the package's own `install` script would compile the addon. The next
  // step does that, and stamps it.
  await mustRun('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund']);
  markDone(stamp, hash);
}

knowOnly('dependencies');
try {
  await installDependencies();
  if (option('dependencies') === undefined) {
    await buildAddon();
    await buildTypeScript();
  }
} catch (error) {
  die(error.message);
}
