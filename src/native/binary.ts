// What a binary was built for, read from the file itself: a linker's error does not say it.
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';

export interface Target {
  /** As `process.platform` and `process.arch` name them; undefined if Node has no name for it. */
  system: string;
  processor: string | undefined;
  /** On Linux, where it can be told. */
  libc?: 'glibc' | 'musl' | undefined;
}

/** The numbers of processors in the two formats, by the name that Node has for them. */
const elfProcessors: Record<number, string> = {
  3: 'ia32',
  21: 'ppc64',
  22: 's390x',
  40: 'arm',
  62: 'x64',
  183: 'arm64',
  243: 'riscv64',
  258: 'loong64',
};
const machProcessors: Record<number, string> = { 0x01000007: 'x64', 0x0100000c: 'arm64' };

const machMagic = 0xfeedfacf;

function contentOf(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined; // what kept the linker from it says more than what keeps us from it
  }
}

/** What the binary `file` is for; undefined if it is no binary, or of a format not known here. */
export function targetOf(file: string): Target | undefined {
  const bytes = contentOf(file);
  if (bytes === undefined || bytes.length < 64) return undefined;
  if (bytes.toString('latin1', 0, 4) === '\x7fELF') {
    return {
      system: 'linux',
      processor: elfProcessors[bytes.readUInt16LE(18)],
      libc: libcOf(bytes),
    };
  }
  if (bytes.readUInt32LE(0) === machMagic) {
    return { system: 'darwin', processor: machProcessors[bytes.readUInt32LE(4)] };
  }
  return undefined;
}

/** By the name of the C library that the binary asks for. */
function libcOf(bytes: Buffer): Target['libc'] {
  if (bytes.includes('libc.so\0') || bytes.includes('libc.musl-')) return 'musl';
  return bytes.includes('libc.so.6\0') ? 'glibc' : undefined;
}

/** What this process runs on. */
export function here(): Target {
  return { system: process.platform, processor: process.arch, libc: libcHere() };
}

/** By the loader that the program of this process names. */
export function libcHere(): Target['libc'] {
  if (process.platform !== 'linux') return undefined;
  const head = headOf(process.execPath);
  if (head.includes('/ld-musl-')) return 'musl';
  if (head.includes('/ld-linux')) return 'glibc';
  return libcOfReport();
}

/** Slower, and only Node has it; but it needs to read no file. */
function libcOfReport(): Target['libc'] {
  const report = process.report?.getReport() as { header?: object } | undefined;
  if (report?.header === undefined) return 'glibc'; // the more usual one
  return 'glibcVersionRuntime' in report.header ? 'glibc' : 'musl';
}

/** The beginning of a file, where a program names its loader; empty if that may not be read. */
function headOf(file: string): Buffer {
  try {
    return partOf(file, 0, 4096);
  } catch {
    return Buffer.alloc(0); // the permission model, say
  }
}

function partOf(file: string, position: number, bytes: number): Buffer {
  const part = Buffer.alloc(bytes);
  const descriptor = openSync(file, 'r');
  try {
    return part.subarray(0, readSync(descriptor, part, 0, bytes, position));
  } finally {
    closeSync(descriptor);
  }
}

/** The type of the entries that say what the linker maps. */
const elfLoad = 1;

/** The type of the entry with the names of all sections, which is near the end of the file. */
const elfNames = 3;

/**
 * Is the file shorter than the binary that it begins with, or its end empty? The linker of Linux
 * maps it all the same, and the process ends with SIGBUS or SIGSEGV. That of macOS looks itself.
 */
export function isCutOff(file: string): boolean {
  try {
    const { size } = statSync(file);
    const head = headOf(file);
    const end = endOfElf(head);
    return size === 0 || end > size || (end > 0 && hasEmptyEnd(file, head));
  } catch {
    return false; // not there, or the permission model: the linker says that
  }
}

/** Of an ELF file of 64 bit. */
function hasEmptyEnd(file: string, head: Buffer): boolean {
  const table = Number(head.readBigUInt64LE(40));
  const [entryBytes, entries, names] = [58, 60, 62].map((at) => head.readUInt16LE(at));
  if (table === 0 || !entries || names! >= entries) return false;
  const entry = partOf(file, table + names! * entryBytes!, 64);
  return entry.readUInt32LE(4) !== elfNames;
}

/** Where the last byte lies that the linker maps; 0 if this is no ELF file of 64 bit. */
function endOfElf(head: Buffer): number {
  if (head.toString('latin1', 0, 4) !== '\x7fELF') return 0;
  if (head.length < 64) return Infinity;
  if (head[4] !== 2 || head[5] !== 1) return 0; // not of 64 bit, or of the other byte order
  const table = Number(head.readBigUInt64LE(32));
  const [entryBytes, entries] = [head.readUInt16LE(54), head.readUInt16LE(56)];
  let end = table + entryBytes * entries;
  if (entryBytes < 56 || end > head.length) return end;
  for (let at = table; at < table + entryBytes * entries; at += entryBytes) {
    if (head.readUInt32LE(at) !== elfLoad) continue;
    end = Math.max(end, Number(head.readBigUInt64LE(at + 8) + head.readBigUInt64LE(at + 32)));
  }
  return end;
}

/** Was it built for something else than what this process runs on? */
export function isForeign(target: Target, own: Target): boolean {
  return (
    target.system !== own.system ||
    target.processor !== own.processor ||
    (target.libc !== undefined && own.libc !== undefined && target.libc !== own.libc)
  );
}

/** `linux-x64 with glibc` */
export function describe({ system, processor, libc }: Target): string {
  return `${system}-${processor ?? 'unknown'}${libc === undefined ? '' : ` with ${libc}`}`;
}
