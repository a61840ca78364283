// What a program is told if it cannot load the addon. Each cause has its own remedy.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { addon } from '../../lib/native/load.js';
import { missingIn } from '../../lib/native/offered.js';
import { whyMissing, whyRefused } from '../../lib/native/refusals.js';
import { temporaryDirectory } from '../support/directory.js';
import { mountSmall, unmount } from '../support/mounts.js';
import { run } from '../support/program.js';

const root = path.resolve(import.meta.dirname, '../..');
const binary = path.join(root, 'build/Release/holdfast.node');
const permissions = ['--permission', '--experimental-permission'].find((option) =>
  process.allowedNodeEnvironmentFlags.has(option),
)!;

/** A program to be loaded before: with it Node says that it is on another system. */
function pretend(directory: string, { system = process.platform, arch = process.arch }): string[] {
  const program = path.join(directory, 'pretend.cjs');
  const text = Object.entries({ platform: system, arch }).map(
    ([name, value]) => `
      Object.defineProperty(process, '${name}', { value: '${value}' });
      require('node:os').${name} = () => '${value}';`,
  );
  writeFileSync(program, text.join(''));
  return ['--require', program];
}

/** What `require()` of the package at `at` says. */
async function refusal(
  at: string,
  { nodeArgs = [], native = '' }: { nodeArgs?: string[]; native?: string } = {},
): Promise<string> {
  const code = `
    try {
      require(${JSON.stringify(path.join(at, 'lib/index.js'))});
      console.log('loaded');
    } catch ({ name, code, message }) {
      console.log([name, code, message].join(' '));
    }`;
  const { stdout } = await run('', {
    nodeArgs: ['--no-warnings', ...nodeArgs, '--eval', code],
    env: { HOLDFAST_NATIVE: native },
  });
  return stdout.trim();
}

/** The package without its binary, as an install without scripts leaves it. */
function installed(directory: string): string {
  const at = path.join(directory, 'node_modules/holdfast');
  mkdirSync(at, { recursive: true });
  for (const name of ['lib', 'package.json']) {
    cpSync(path.join(root, name), path.join(at, name), { recursive: true });
  }
  symlinkSync(path.join(root, 'node_modules'), path.join(at, 'node_modules'));
  return at;
}

describe('an addon that cannot be loaded', () => {
  after(unmount);

  it('--no-addons', async () => {
    const said = await refusal(root, { nodeArgs: ['--no-addons'], native: binary });
    assert.match(said, /^HoldfastError ERR_HOLDFAST_ADDON .*started with --no-addons: leave that/);
  });

  it('the permission model', async () => {
    const nodeArgs = [permissions, '--allow-fs-read=*'];
    assert.match(await refusal(root, { nodeArgs }), /permission model.*: add --allow-addons/);
    assert.equal(await refusal(root, { nodeArgs: [...nodeArgs, '--allow-addons'] }), 'loaded');
  });

  it('the permission model, where a Process is started', async () => {
    const nodeArgs = ['--no-warnings', permissions, '--allow-fs-read=*', '--allow-addons'];
    const code = `
      const { Process } = require('holdfast');
      try {
        new Process({ module: 'node:fs', export: 'statSync' }).start();
      } catch ({ name, message }) {
        console.log(name, message);
      }`;
    const { stdout } = await run('', { nodeArgs: [...nodeArgs, '--eval', code] });
    assert.match(stdout, /^ProcessError .*permission model.*: add --allow-child-process/);
  });

  it('a file system that is mounted noexec', async function () {
    const directory = mountSmall('noexec');
    if (directory === undefined) return this.skip();
    const native = path.join(directory, 'holdfast.node');
    cpSync(binary, native);
    assert.match(await refusal(root, { native }), /is mounted noexec: mount that without/);
  });

  it('a limit of memory', async function () {
    if (process.platform !== 'linux' || spawnSync('prlimit', ['--version']).status !== 0) {
      return this.skip();
    }
    const directory = temporaryDirectory();
    const [source, file] = ['large.c', 'large.node'].map((name) => path.join(directory, name));
    writeFileSync(source!, 'char large[1 << 30];\n');
    execFileSync(process.env['CC'] ?? 'cc', ['-shared', '-fPIC', '-o', file!, source!]);
    // The limit leaves room for what Node needs meanwhile, and not for the library.
    const code = `
      const { execFileSync } = require('node:child_process');
      const { readFileSync } = require('node:fs');
      const { whyRefused } = require(${JSON.stringify(path.join(root, 'lib/native/refusals.js'))});
      const [kib] = /(?<=VmSize:\\s+)\\d+/.exec(readFileSync('/proc/self/status', 'utf8'));
      const limit = '--as=' + (Number(kib) + 512 * 1024) * 1024;
      execFileSync('prlimit', ['--pid', String(process.pid), limit]);
      const file = ${JSON.stringify(file)};
      try {
        require(file);
      } catch (cause) {
        console.log(whyRefused(file, cause));
      }`;
    const { stdout } = await run('', { nodeArgs: ['--eval', code] });
    assert.match(stdout, /memory is short: raise the limit of this process/);
  });

  it('a file that may not be read, too many open files', () => {
    const denied = 'x.node: cannot open shared object file: Permission denied';
    assert.match(whyRefused('x.node', new Error(denied)), /this user may not read it/);
    const many = 'x.node: cannot open shared object file: Too many open files';
    assert.match(whyRefused('x.node', new Error(many), 'linux'), /raise the limit \(ulimit -n\)/);
  });

  it('on macOS: the words of its linker, and the names of its limits', () => {
    const said = (message: string) => whyRefused('x.node', new Error(message), 'darwin');
    const cases: [message: string, words: RegExp][] = [
      ["dlopen(x.node, 0x0001): tried: 'x.node' (errno=24)", /launchctl limit maxfiles/],
      ["tried: 'x.node' (mmap(...) failed with errno=12)", /or end some programs/],
      ["'x.node' (code signature in <1> 'x.node' not valid for use)", /library-validation/],
      ['Symbol not found: _preadv (built for macOS 11.0)', /older than macOS 11/],
      ["(mach-o file, but is an incompatible architecture (have 'x86_64'))", /this system and/],
    ];
    for (const [message, words] of cases) {
      assert.match(said(message), words);
      assert.doesNotMatch(said(message), /container|SELinux|glibc/);
    }
  });

  it('a directory in place of the binary', async () => {
    const directory = temporaryDirectory();
    assert.match(
      await refusal(root, { native: directory }),
      /which HOLDFAST_NATIVE names: it is a directory: name a file/,
    );
    const at = installed(directory);
    mkdirSync(path.join(at, 'build/Release/holdfast.node'), { recursive: true });
    assert.match(await refusal(at), /holdfast\.node: it is a directory: remove it/);
  });

  it('another C library', async function () {
    if (process.platform !== 'linux') return this.skip();
    const directory = temporaryDirectory();
    const other = path.join(directory, 'libc.musl-of-another-system.so.1');
    const native = path.join(directory, 'other.node');
    const source = path.join(directory, 'empty.c');
    writeFileSync(source, 'int nothing;\n');
    const cc = process.env['CC'] ?? 'cc';
    execFileSync(cc, [
      '-shared',
      '-fPIC',
      `-Wl,-soname,${path.basename(other)}`,
      '-o',
      other,
      source,
    ]);
    execFileSync(cc, ['-shared', '-fPIC', '-Wl,--no-as-needed', '-o', native, source, other]);
    rmSync(other);
    assert.match(
      await refusal(root, { native }),
      /it is for linux-\w+ with musl, and this is linux-\w+ with glibc: install/,
    );
  });

  it('a newer C library, another system', () => {
    const older =
      "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by x.node)";
    assert.match(whyRefused('x.node', new Error(older)), /built for a newer C or C\+\+ library/);
    const mac = 'dlopen(x.node, 1): slice is not valid mach-o file';
    assert.match(whyRefused('x.node', new Error(mac)), /no binary for this system and processor/);
  });

  it('a binary for another processor', async function () {
    if (process.platform !== 'linux') return this.skip();
    const bytes = readFileSync(binary);
    const [machine, name] = process.arch === 'arm64' ? [62, 'x64'] : [183, 'arm64'];
    bytes.writeUInt16LE(machine, 18);
    const native = path.join(temporaryDirectory(), 'other.node');
    writeFileSync(native, bytes);
    const said = await refusal(root, { native });
    assert.match(said, new RegExp(`it is for linux-${name} with \\w+, and this is linux-`));
    assert.match(said, /install the dependencies on this system/);
  });

  it('a binary for macOS', async function () {
    if (process.platform !== 'linux') return this.skip();
    const bytes = Buffer.alloc(4096);
    bytes.writeUInt32LE(0xfeedfacf, 0);
    bytes.writeUInt32LE(0x0100000c, 4);
    const native = path.join(temporaryDirectory(), 'mac.node');
    writeFileSync(native, bytes);
    assert.match(await refusal(root, { native }), /it is for darwin-arm64, and this is linux-/);
  });

  it('a processor that there is no binary for', async () => {
    const at = installed(temporaryDirectory());
    for (const system of ['darwin-arm64', 'linux-x64']) {
      mkdirSync(path.join(at, 'prebuilds', system), { recursive: true });
      writeFileSync(path.join(at, 'prebuilds', system, 'node.napi.node'), '');
    }
    const said = await refusal(at, { nodeArgs: pretend(at, { arch: 'riscv64' }) });
    assert.match(said, new RegExp(`has no binary for ${process.platform}-riscv64 \\(Node v`));
    assert.match(said, /the package has some for darwin-arm64, linux-x64, and its install script/);
    assert.match(said, /"npm rebuild holdfast".*needs a C\+\+ compiler, make and Python 3/);
  });

  it('a system that it does not run on', async () => {
    const at = installed(temporaryDirectory());
    const said = await refusal(at, { nodeArgs: pretend(at, { system: 'win32', arch: 'x64' }) });
    assert.match(said, /holdfast runs on Linux and macOS, and this is win32-x64$/);
  });

  it('a Node that is too old', async () => {
    const program = path.join(temporaryDirectory(), 'pretend.cjs');
    const versions = "{ ...process.versions, node: '18.20.8' }";
    writeFileSync(program, `Object.defineProperty(process, 'versions', { value: ${versions} });`);
    const said = await refusal(root, { nodeArgs: ['--require', program] });
    assert.match(said, /needs Node 20\.19 or later, and this is Node 18\.20\.8$/);
  });

  it('something else than a binary', async () => {
    const native = path.join(temporaryDirectory(), 'text.node');
    writeFileSync(native, 'text '.repeat(100));
    assert.match(await refusal(root, { native }), /is no binary for this system and processor/);
  });

  it('a binary whose end is missing', async function () {
    if (process.platform !== 'linux') return this.skip();
    const native = path.join(temporaryDirectory(), 'short.node');
    const bytes = readFileSync(binary);
    for (const length of [0, 100, 300_000]) {
      writeFileSync(native, bytes.subarray(0, length));
      const said = await refusal(root, { native });
      assert.match(
        said,
        /^HoldfastError ERR_HOLDFAST_ADDON .*_NATIVE names: its end is missing.*name another/,
      );
    }
  });

  it('a binary whose end is empty, as after a power failure', async function () {
    if (process.platform !== 'linux') return this.skip();
    const bytes = readFileSync(binary);
    const native = path.join(temporaryDirectory(), 'empty-end.node');
    for (const end of [4096, bytes.length >> 1, bytes.length - 100]) {
      writeFileSync(native, Buffer.concat([bytes.subarray(0, end)], bytes.length));
      assert.match(await refusal(root, { native }), /its end is missing/);
    }
  });

  it('a binary of another version, one of something else', async function () {
    if (process.platform !== 'linux') return this.skip();
    const directory = temporaryDirectory();
    const [source, native] = ['x.c', 'x.node'].map((name) => path.join(directory, name));
    const compile = (code: string) => {
      writeFileSync(source!, code);
      const cc = process.env['CC'] ?? 'cc';
      execFileSync(cc, ['-shared', '-fPIC', '-o', native!, source!]);
    };
    // Node takes what this function returns for what the addon exports.
    compile('void* napi_register_module_v1(void* env, void* exports) { return exports; }');
    const other = await refusal(root, { native: native! });
    assert.match(
      other,
      /^HoldfastError ERR_HOLDFAST_ADDON .*another version of holdfast, and has no.*name another/,
    );
    compile('int nothing;');
    const none = await refusal(root, { native: native! });
    assert.match(none, /^HoldfastError ERR_HOLDFAST_ADDON .*another library.*install the package/);
  });

  it('the addon offers all that the package calls', () => {
    assert.deepEqual(missingIn(addon), []);
    assert.deepEqual(missingIn({}).slice(0, 2), ['Lock', 'RLock']);
  });

  it('files of others beside the prebuilt binary', async function () {
    if (process.platform !== 'linux') return this.skip();
    const at = installed(temporaryDirectory());
    const prebuilds = path.join(at, `prebuilds/linux-${process.arch}`);
    mkdirSync(prebuilds, { recursive: true });
    for (const name of ['.DS_Store', '.nfs01.node', 'a.txt']) {
      writeFileSync(path.join(prebuilds, name), 'console.log("it ran")');
    }
    assert.match(await refusal(at), /^HoldfastError ERR_HOLDFAST_ADDON holdfast has no binary for/);
    cpSync(binary, path.join(prebuilds, 'node.napi.glibc.node'));
    assert.equal(await refusal(at), 'loaded');
  });

  it('a file in place of the directory of binaries', async () => {
    const at = installed(temporaryDirectory());
    mkdirSync(path.join(at, 'prebuilds'));
    writeFileSync(path.join(at, `prebuilds/${process.platform}-${process.arch}`), '');
    const said = await refusal(at);
    assert.match(said, /^HoldfastError ERR_HOLDFAST_ADDON .*not a directory.*install the package/);
  });

  it('a directory of binaries that may not be read', () => {
    const denied = Object.assign(new Error('EACCES: scandir'), { code: 'EACCES' });
    const said = whyMissing(root, denied);
    assert.match(said, /EACCES: scandir: this user may not read it: check its mode and its owner/);
  });

  it('names no option that npm has given up', () => {
    const older = "libc.so.6: version `GLIBC_2.38' not found";
    const said = whyRefused('x.node', new Error(older));
    assert.doesNotMatch(said, /build-from-source/);
    assert.match(said, /"npm rebuild holdfast" \(with npm 12, "npm install-scripts approve/);
  });

  it('a file that is not there: says who has named it', async () => {
    const said = await refusal(root, { native: '/nowhere/x.node' });
    assert.match(said, /x\.node, which HOLDFAST_NATIVE names: there is no such file: name another/);
  });

  it('a link that leads nowhere, a binary whose end is missing, in the package', async function () {
    if (process.platform !== 'linux') return this.skip();
    const at = installed(temporaryDirectory());
    const file = path.join(at, `prebuilds/linux-${process.arch}/node.napi.glibc.node`);
    mkdirSync(path.dirname(file), { recursive: true });
    for (const [target, words] of [
      ['/nowhere/x.node', /it is a link to \/nowhere\/x\.node, which is not there: install/],
      ['node.napi.glibc.node', /it is a link to node\.napi\.glibc\.node, which is not there/],
    ] as const) {
      symlinkSync(target, file);
      const said = await refusal(at);
      assert.match(said, words);
      assert.doesNotMatch(said, /HOLDFAST_NATIVE/);
      rmSync(file);
    }
    writeFileSync(file, readFileSync(binary).subarray(0, 300_000));
    assert.match(await refusal(at), /glibc\.node: its end is missing.*install the package again/);
  });

  it('an install script that npm or pnpm has blocked', async () => {
    const directory = temporaryDirectory();
    const byNpm = await refusal(installed(directory));
    assert.match(byNpm, /^HoldfastError ERR_HOLDFAST_ADDON holdfast has no binary for/);
    assert.match(byNpm, /install script.*blocked.*"npm install-scripts approve holdfast"/);
    const byPnpm = await refusal(installed(path.join(directory, 'node_modules/.pnpm/holdfast@1')));
    assert.match(byPnpm, /install script.*blocked.*"pnpm approve-builds"/);
    // With node-linker=hoisted the package lies where npm puts it.
    writeFileSync(path.join(directory, 'node_modules/.modules.yaml'), '');
    const hoisted = await refusal(path.join(directory, 'node_modules/holdfast'));
    assert.match(hoisted, /install script.*blocked.*"pnpm approve-builds"/);
  });

  it('prebuilds for the other C library only', async () => {
    const at = installed(temporaryDirectory());
    const prebuilds = path.join(at, `prebuilds/${process.platform}-${process.arch}`);
    mkdirSync(prebuilds, { recursive: true });
    writeFileSync(path.join(prebuilds, 'holdfast.musl.node'), '');
    const said = await refusal(at);
    if (process.platform === 'linux') {
      assert.match(said, /there is only holdfast\.musl\.node, and this is linux-\w+ with glibc/);
      assert.match(said, /comes with one: install the package again/);
    }
  });

  it('takes the binary of its C library, and reads nothing but the package', async function () {
    if (process.platform !== 'linux') return this.skip();
    const at = installed(temporaryDirectory());
    const prebuilds = path.join(at, `prebuilds/linux-${process.arch}`);
    mkdirSync(prebuilds, { recursive: true });
    writeFileSync(path.join(prebuilds, 'node.napi.musl.node'), 'not for here');
    cpSync(binary, path.join(prebuilds, 'node.napi.glibc.node'));
    assert.equal(await refusal(at), 'loaded');
    const nodeArgs = [permissions, '--allow-addons', `--allow-fs-read=${realpathSync(at)}/*`];
    assert.equal(await refusal(at, { nodeArgs }), 'loaded');
  });

  it('code that a bundler has moved', async () => {
    const at = installed(temporaryDirectory());
    writeFileSync(path.join(at, 'package.json'), '{ "name": "app" }');
    assert.match(await refusal(at), /a bundler has moved its code: declare holdfast external/);
  });
});
