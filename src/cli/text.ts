// Text for terminals: tables, numbers, times.
import { printable } from '../observe/printable.js';

/** Milliseconds as a person reads them. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '-';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const s = ms / 1000;
  if (s < 100) return `${s.toFixed(1)} s`;
  if (s < 6000) return `${Math.floor(s / 60)} min ${Math.floor(s % 60)} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s / 60) % 60)} min`;
}

/** A number that not every kind of object has. */
export function count(value: number | undefined): string {
  return value === undefined ? '-' : String(value);
}

/** How often something happens each second. */
export function rate(perSecond: number): string {
  return perSecond < 10 ? perSecond.toFixed(1) : perSecond.toFixed(0);
}

export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let value = count;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/**
 * A thread: pid, the worker's number if it is one, and the name of its process. Of some engines
 * only the session is known: then pid is 0.
 */
export function agent(of: { pid: number; threadId: number; processName: string }): string {
  if (of.pid === 0) return printable(of.processName);
  const worker = of.threadId === 0 ? '' : `/${of.threadId}`;
  return `${of.pid}${worker} ${printable(of.processName)}`;
}

/** Cuts to so many columns. A character counts as one column. */
export function cut(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width
    ? text
    : `${characters.slice(0, Math.max(0, width - 1)).join('')}\u2026`;
}

export interface Column<T> {
  readonly head: string;
  readonly of: (row: T) => string;
  /** To the right, as numbers are. */
  readonly right?: boolean;
}

/** Lines of equal columns. `width`: where lines are cut. */
export function table<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  width = Infinity,
): string[] {
  const cells = [
    columns.map(({ head }) => head),
    ...rows.map((row) => columns.map((c) => c.of(row))),
  ];
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => [...line[i]!].length)));
  return cells.map((line) => {
    const padded = line.map((cell, i) => {
      const space = ' '.repeat(widths[i]! - [...cell].length);
      return columns[i]!.right ? space + cell : cell + space;
    });
    return cut(padded.join('  ').trimEnd(), width);
  });
}
