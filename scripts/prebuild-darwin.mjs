// Builds the binaries for macOS on Linux: zig compiles, lld links. No Mac can run them in CI, so
// what they ask of the system is held against the system's own list of symbols, which zig brings.

import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { mustRun, root } from './common.mjs';
import { compileObjects, compilerFlags, zigDirectory } from './cross-compiler.mjs';
import { undefinedSymbols } from './mach-o.mjs';
import { addonSources } from './sources.mjs';

const oldestMacOS = '11.0';
const sdk = '14.0';
const platform = 'darwin';

export const darwinTargets = [
  { directory: 'darwin-arm64', arch: 'arm64', triple: `aarch64-macos.${oldestMacOS}` },
  { directory: 'darwin-x64', arch: 'x86_64', triple: `x86_64-macos.${oldestMacOS}` },
];

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
  const flags = compilerFlags(platform, { standIn: false });
  const objects = await compileObjects({
    triple,
    sources: addonSources(platform, { standIn: false }),
    flags: [...flags, '-D_DARWIN_USE_64_BIT_INODE=1'],
    directory: `build/cross/${triple}`,
  });
  mkdirSync(path.dirname(file), { recursive: true });
  await link(await zigDirectory(), arch, objects, file);
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
