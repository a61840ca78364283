// The runtimes that scripts/runtimes.mjs runs the package on. npm brings all of them.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { hasTool } from './common.mjs';
import { toolDirectory } from './tools.mjs';

/** Debian's libc6-arm64-cross and libstdc++6-arm64-cross put their libraries here. */
const arm64Root = '/usr/aarch64-linux-gnu';

const noHooks = [
  'conditions: Condition: the code behind an awaited acquire()',
  'no hooks of promises, so an RLock by task needs runExclusive()',
];
const noChildren = [
  'processes: Process',
  'no Process, because the emulated program is none that the system can start',
];

function node(major, version, { cpu = 'x64' } = {}) {
  const program = async () =>
    path.join(await toolDirectory(`node-linux-${cpu}`, version), 'bin/node');
  const emulator = cpu === 'x64' ? [] : ['qemu-aarch64-static', '-L', arm64Root];
  return {
    name: `node ${major}`,
    cpu,
    libc: 'glibc',
    command: async () => [...emulator, await program()],
    env: {},
    skip: cpu === 'x64' ? [] : [noChildren],
    runsWhole: cpu === 'x64',
    needs: cpu === 'x64' ? [] : ['qemu-aarch64-static', `${arm64Root}/lib/libstdc++.so.6`],
  };
}

function bun() {
  const version = '1.4.5';
  return {
    name: 'bun',
    cpu: 'x64',
    libc: 'glibc',
    command: async () => [
      path.join(await toolDirectory('@oven/bun-linux-x64', version), 'bin/bun'),
    ],
    env: {},
    skip: [noHooks],
    runsWhole: false,
    needs: [],
  };
}

function deno() {
  return {
    name: 'deno',
    cpu: 'x64',
    libc: 'glibc',
    command: async () => [
      path.join(await toolDirectory('@deno/linux-x64-glibc', '2.9.6'), 'deno'),
      'run',
      '--allow-all',
    ],
    env: {},
    skip: [noHooks],
    runsWhole: false,
    needs: [],
  };
}

export const runtimes = [
  node(20, '20.20.2'),
  node(22, '22.23.3'),
  node(24, '24.21.0'),
  node(26, '26.12.1'),
  bun(),
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
