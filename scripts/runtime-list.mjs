// The runtimes that scripts/runtimes.mjs runs the package on. npm brings all of them.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { hasTool } from './common.mjs';
import { arm64Emulator, arm64Root } from './cross-compiler.mjs';
import { muslLibraries } from './musl-libstdcxx.mjs';
import { toolDirectory } from './tools.mjs';

const noHooks = [
  'conditions: Condition: the code behind an awaited acquire()',
  'no hooks of promises, so an RLock by task needs runExclusive()',
];
const noChildren = ['processes: Process', 'processes: Pool'].map((title) => [
  title,
  'no Process, because the emulated program is none that the system can start',
]);

function node(major, version, { cpu = 'x64' } = {}) {
  const program = async () =>
    path.join(await toolDirectory(`node-linux-${cpu}`, version), 'bin/node');
  const emulator = cpu === 'x64' ? [] : arm64Emulator;
  return {
    name: `node ${major}`,
    cpu,
    libcs: ['glibc'],
    command: async () => [...emulator, await program()],
    env: async () => ({}),
    skip: cpu === 'x64' ? [] : noChildren,
    program: 'smoke.mjs',
    runsWhole: cpu === 'x64',
    needs: cpu === 'x64' ? [] : ['qemu-aarch64-static', `${arm64Root}/lib/libstdc++.so.6`],
  };
}

function bun(libc) {
  const isMusl = libc === 'musl';
  const name = isMusl ? '@oven/bun-linux-x64-musl' : '@oven/bun-linux-x64';
  const program = async () => path.join(await toolDirectory(name, '1.4.5'), 'bin/bun');
  return {
    name: 'bun',
    cpu: 'x64',
    libcs: [libc],
    command: async () => [await program()],
    env: async () => (isMusl ? { LD_LIBRARY_PATH: await muslLibraries(await program()) } : {}),
    skip: [noHooks],
    program: 'smoke.mjs',
    runsWhole: false,
    needs: isMusl ? ['/lib/ld-musl-x86_64.so.1'] : [],
  };
}

function deno() {
  return {
    name: 'deno',
    cpu: 'x64',
    libcs: ['glibc'],
    command: async () => [
      path.join(await toolDirectory('@deno/linux-x64-glibc', '2.9.6'), 'deno'),
      'run',
      '--allow-all',
    ],
    env: async () => ({}),
    skip: [noHooks],
    program: 'smoke.mjs',
    runsWhole: false,
    needs: [],
  };
}

const noMemory = 'no SharedMemory, and its error says why';

/** Node as Electron is: it lets no memory of the system become a buffer. */
function withoutBuffers(runtime) {
  return {
    ...runtime,
    name: `${runtime.name}, no external buffers`,
    withoutBuffers: true,
    skip: [
      ['locks: Lock: no addition is lost', noMemory],
      ['errors: errors: one name, two kinds', noMemory],
      ['processes: Pool', noMemory],
    ],
    runsWhole: false,
  };
}

/** Node on glibc has objects open, and Bun on musl tries to open them. */
function mixed(first, second) {
  return {
    ...first,
    name: `${first.name} and ${second.name}`,
    libcs: [...first.libcs, ...second.libcs],
    other: async () => {
      const words = Object.entries(await second.env()).map(([name, value]) => `${name}=${value}`);
      return ['env', ...words, ...(await second.command())];
    },
    program: 'mixed.mjs',
    runsWhole: false,
    needs: second.needs,
  };
}

export const runtimes = [
  node(20, '20.20.2'),
  node(22, '22.23.3'),
  node(24, '24.21.0'),
  node(26, '26.12.1'),
  withoutBuffers(node(24, '24.21.0')),
  bun('glibc'),
  bun('musl'),
  mixed(node(24, '24.21.0'), bun('musl')),
  deno(),
  node(24, '24.22.0', { cpu: 'arm64' }),
];

/** What this machine lacks for the runtime, in words; undefined if nothing. */
export function whyNotHere({ needs }) {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'needs Linux on x64';
  const missing = needs.filter((need) =>
    need.startsWith('/') ? !existsSync(need) : !hasTool(need),
  );
  if (missing.length === 0) return undefined;
  return `there is no ${missing.join(', no ')} (see the packages in .ci/run)`;
}
