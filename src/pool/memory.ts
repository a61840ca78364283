// How much memory a process has.
import { readFileSync } from 'node:fs';

let pageBytes: number | undefined;

/** The resident memory of a process in bytes; undefined where only it itself can find out. */
export function memoryOf(pid: number): number | undefined {
  const pages = residentPages(pid);
  return pages === undefined ? undefined : pages * (pageBytes ??= pageSize());
}

function residentPages(pid: number | 'self'): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]);
  } catch {
    return undefined; // it has ended, or this is no Linux
  }
}

/** The bytes of a page of memory. Of this process both figures are known. */
function pageSize(): number {
  const pages = residentPages('self');
  if (!pages) return 4096;
  const bytes = process.memoryUsage.rss() / pages;
  return 2 ** Math.round(Math.log2(bytes));
}
