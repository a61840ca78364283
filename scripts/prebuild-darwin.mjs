// Builds the binaries for macOS on Linux: zig compiles, lld links. No Mac can run them in CI, so
// what they ask of the system is held against the system's own list of symbols, which zig brings.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os, { availableParallelism } from 'node:os';
import path from 'node:path';
import { inBatches } from './batches.mjs';
import { mustRun, root } from './common.mjs';
import { compileWatchdogMs, compilerFlags, zigDirectory } from './cross-compiler.mjs';
import { undefinedSymbols } from './mach-o.mjs';
import { addonSources } from './sources.mjs';

const oldestMacOS = '11.0';
const sdk = '14.0';
const platform = 'darwin';

export const darwinTargets = [
  { directory: 'darwin-arm64', arch: 'arm64', triple: `aarch64-macos.${oldestMacOS}` },
  { directory: 'darwin-x64', arch: 'x86_64', triple: `x86_64-macos.${oldestMacOS}` },
];

/** The C++ library for that target. zig builds it for the first program that needs it. */
function cppLibraries(zig, triple, directory) {
  const source = path.join(directory, 'any.cc');
  writeFileSync(source, '#include <string>\nint main() { return (int)std::string("x").size(); }\n');
  const { status, stderr } = spawnSync(
    path.join(zig, 'zig'),
    ['c++', '-target', triple, source, '-o', path.join(directory, 'any')],
    {
      encoding: 'utf8',
      env: { ...process.env, ZIG_VERBOSE_LINK: '1' },
      timeout: compileWatchdogMs,
      maxBuffer: 64 << 20,
    },
  );
  const link = stderr.split('\n').find((line) => line.startsWith('zig ld '));
  if (status !== 0 || !link) throw new Error(`no C++ library for ${triple}: ${stderr}`);
  return link.split(' ').filter((word) => /\/libc\+\+(abi)?\.a$/.test(word));
}

async function compile(zig, triple, directory) {
  const flags = compilerFlags(platform, triple, { standIn: false });
  flags.push('-D_DARWIN_USE_64_BIT_INODE=1');
  const batches = inBatches(addonSources(platform, { standIn: false }), directory);
  const waiting = batches.map(({ name, source }) => [source, path.join(directory, `${name}.o`)]);
  const objects = waiting.map(([, object]) => object);
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [source, object] = next;
      await mustRun(path.join(zig, 'zig'), [...flags, '-c', source, '-o', object], {
        timeoutMs: compileWatchdogMs,
      });
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return objects;
}

/** A bundle, as node-gyp makes on a Mac: Node's own functions are looked for when it is loaded. */
async function link(zig, arch, inputs, file) {
  const flags = ['-flavor', 'darwin', '-arch', arch];
  flags.push('-platform_version', 'macos', oldestMacOS, sdk);
  flags.push('-bundle', '-undefined', 'dynamic_lookup', '-dead_strip', '-S', '-adhoc_codesign');
  for (const name of ['_napi_register_module_v1', '_node_api_module_get_api_version_v1']) {
    flags.push('-exported_symbol', name);
  }
  const system = path.join(zig, 'lib/libc/darwin/libSystem.tbd');
  await mustRun('lld', [...flags, ...inputs, system, '-o', file]);
}

export async function buildDarwin({ arch, triple }, file) {
  const zig = await zigDirectory();
  const directory = mkdtempSync(path.join(os.tmpdir(), 'hf-prebuild-'));
  try {
    const libraries = cppLibraries(zig, triple, directory);
    const objects = await compile(zig, triple, directory);
    mkdirSync(path.dirname(file), { recursive: true });
    await link(zig, arch, [...objects, ...libraries], file);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What is wrong with what the binary asks for; an empty list if nothing is. */
export function darwinFindings(file) {
  const allowed = JSON.parse(
    readFileSync(path.join(root, 'scripts/prebuilt-symbols.json'), 'utf8'),
  );
  const known = new Set(allowed.darwin);
  const findings = [];
  for (const { name, inLibrary } of undefinedSymbols(readFileSync(file))) {
    if (/^(napi|node_api|uv)_/.test(name)) continue;
    if (!inLibrary) findings.push(`${name} is not in macOS' system library`);
    else if (!known.has(name)) findings.push(`${name} is not in prebuilt-symbols.json`);
  }
  return findings;
}
