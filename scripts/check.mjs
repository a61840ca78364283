// `npm run check`: everything about the package that is not a test. Each check counts as one; the
// last line is `N passed, N failed`.

import { readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { agreed } from './agreed.mjs';
import { clangFormat } from './clang-format.mjs';
import { clangTidy } from './clang-tidy.mjs';
import { chromium, hasChromium, testDashboard } from './dashboard-test.mjs';
import { filesUnder, hasTool, mustRun, root, Tally } from './common.mjs';
import { testHosts } from './hosts-test.mjs';
import { testForeign, testInstalls } from './installs-test.mjs';
import { testLaunchers } from './launchers-test.mjs';
import { pack, testPacked, withTemporary } from './pack-test.mjs';
import { crossBuild } from './prebuilds.mjs';
import { everything, layerFindings, sizeFindings } from './structure.mjs';
import { testTypes } from './types-test.mjs';

/** Directories that are not part of a clone. */
const generated = ['.git', '**/node_modules', '**/build', 'lib', 'lib.new', 'prebuilds'];

const mustPack = [
  'lib/index.js',
  'lib/index.d.ts',
  'lib/index.mjs',
  'lib/cli/main.js',
  'lib/index.d.mts',
  'lib/navigator-locks.d.ts',
  'lib/package.json',
  'src/index.ts',
  'native/platform/platform.h',
  'binding.gyp',
  'scripts/sources.mjs',
  'docs/api/lock.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'LICENSE',
];
const mustNotPack = /^(test|bench|build|demos|spec|native\/test|\.ci|node_modules)\//;

const tool = (name, ...args) =>
  mustRun(process.execPath, [`node_modules/${name}`, ...args], { timeoutMs: 5 * 60_000 });

/** A path or a registry of one machine works on that machine only. */
function checkPaths() {
  // In pieces, so that this file is not a finding of its own check.
  const patterns = [
    new RegExp(`(?<![\\w.])/(${['work', 'root', 'Users'].join('|')})/`),
    new RegExp(`(registry|npm)\\.[\\w-]+\\.(org|com|dev|net)\\b`),
    /"resolved": *"(?!node_modules|file:)/,
  ];
  const own = [root, os.homedir()].filter((directory) => directory.split('/').length > 2);
  const findings = [];
  for (const file of filesUnder('.', generated)) {
    const text = readFileSync(path.join(root, file), 'utf8');
    text.split('\n').forEach((line, index) => {
      const found = patterns.some((pattern) => pattern.test(line));
      if (found || own.some((directory) => line.includes(directory))) {
        findings.push(`${file}:${index + 1}: ${line.trim().slice(0, 120)}`);
      }
    });
  }
  if (findings.length > 0) throw new Error(`paths of one machine:\n  ${findings.join('\n  ')}`);
}

function none(findings) {
  if (findings.length > 0) throw new Error(`\n  ${findings.join('\n  ')}`);
}

/** Not every machine has these tools. CI has them, so nothing lands without their checks. */
async function checkWithTool(tally, command, title, check) {
  if (hasTool(command) || process.env.CI) return tally.check(title, check);
  console.log(`\n== ${title}\nskipped: there is no ${command}`);
  tally.add(title, { skipped: 1 });
}

/** Runs the tarball in the programs that users run theirs in. */
async function testProjects(tally, tarball) {
  await testHosts(tally, tarball);
  await testLaunchers(tally, tarball);
}

/**
 * Tests the tarball with binaries, which users get. It takes minutes to compile them, so only CI
 * does it.
 */
async function checkPrebuilds(tally) {
  const title = 'prebuilt binaries (npm run prebuilds)';
  if (!process.env.CI) {
    console.log(`\n== ${title}\nskipped: CI=true npm run check`);
    tally.add(title, { skipped: 1 });
    return;
  }
  const prebuilds = path.join(root, 'prebuilds');
  try {
    await tally.check(title, crossBuild);
    const binaries = filesUnder('prebuilds').map((file) => path.join(root, file));
    await testForeign(tally, binaries);
    await withTemporary(async (directory) => {
      const { tarball } = await pack(directory);
      await testPacked(tally, tarball, { prebuilt: true });
      await testInstalls(tally, tarball);
      await testProjects(tally, tarball);
    });
  } finally {
    rmSync(prebuilds, { recursive: true, force: true });
  }
}

function checkContents(files) {
  const missing = mustPack.filter((file) => !files.includes(file));
  const surplus = files.filter((file) => mustNotPack.test(file));
  if (missing.length > 0) throw new Error(`not in the tarball: ${missing.join(', ')}`);
  if (surplus.length > 0)
    throw new Error(`in the tarball, and should not be: ${surplus.join(', ')}`);
  console.log(`${files.length} files`);
}

const tally = new Tally();
await tally.check('lint', () => tool('oxlint/bin/oxlint', '--deny-warnings'));
await tally.check('format (npm run format writes it)', () =>
  tool('@biomejs/biome/bin/biome', 'format', '.'),
);
await checkWithTool(tally, 'clang-format', 'format of C++ (npm run format writes it)', () =>
  none(clangFormat().map((file) => `${file} is laid out in another way`)),
);
await checkWithTool(
  tally,
  'clang-tidy',
  'mistakes in C++ (node scripts/clang-tidy.mjs)',
  async () => none(await clangTidy()),
);
await tally.check('layers: no cycle, imports and includes point down', () => none(layerFindings()));
await tally.check('size of files, functions and lines', () => none(sizeFindings(everything)));
await tally.check('numbers that C++ and TypeScript share (node scripts/agreed.mjs)', () =>
  none(agreed().map((file) => `${file} differs from native/agreed.mjs`)),
);
await tally.check('types of src/', () => tool('typescript/bin/tsc', '--noEmit'));
await tally.check('types of the rest', () =>
  tool('typescript/bin/tsc', '-p', 'tsconfig.check.json'),
);
await testTypes(tally);
if (hasChromium() || process.env.CI) await testDashboard(tally);
else {
  console.log(`\n== the dashboard in Chromium\nskipped: there is no ${chromium}`);
  tally.add('the dashboard in Chromium', { skipped: 1 });
}
await tally.check('no paths of one machine', checkPaths);
await checkPrebuilds(tally);
await withTemporary(async (directory) => {
  let packed;
  await tally.check('npm pack', async () => {
    packed = await pack(directory);
  });
  if (packed === undefined) return;
  await tally.check('contents of the tarball', () => checkContents(packed.files));
  // On the tarball itself, because that is what is published.
  await tally.check('publint', () => tool('publint/src/cli.js', 'run', packed.tarball, '--strict'));
  await tally.check('types as published', () =>
    tool('@arethetypeswrong/cli/dist/index.js', packed.tarball),
  );
  await testPacked(tally, packed.tarball);
  // With binaries in CI: without them, each project compiles its own.
  if (!process.env.CI) await testProjects(tally, packed.tarball);
});
tally.finish();
