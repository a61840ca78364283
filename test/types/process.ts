// Compiled and never run: wrong arguments of a Process must not compile. `npm run check` compiles
// this file under every TypeScript that the package supports.
import type { Lock, ProcessOptions, Queue, Semaphore } from 'holdfast';
import { Process, activeChildren } from 'holdfast';

declare const lock: Lock;
declare const numbers: Queue<number>;
declare const texts: Queue<string>;
declare const semaphore: Semaphore;

// ---- a function

function add(_a: number, _b: number): void {}

new Process(add, { args: [1, 2] });
new Process(add, { args: [1, 2], name: 'adds', daemon: true });
new Process(add, { args: [1, 2] as const });
const pair: readonly [number, number] = [1, 2];
new Process(add, { args: pair });
// @ts-expect-error a string is no number
new Process(add, { args: [1, '2'] });
// @ts-expect-error one too few
new Process(add, { args: [1] });
// @ts-expect-error one too many
new Process(add, { args: [1, 2, 3] });
// @ts-expect-error an array may have any length
new Process(add, { args: [1, 2].map((n) => n) });
// @ts-expect-error args are missing
new Process(add, { name: 'adds' });
// @ts-expect-error args are missing
new Process(add);
// @ts-expect-error args are missing
new Process(add, { args: undefined });
// @ts-expect-error there is no such option
new Process(add, { args: [1, 2], nmae: 'adds' });

// ---- without arguments

function nothing(): void {}

new Process(nothing);
new Process(nothing, {});
new Process(nothing, { args: [] });
new Process(nothing, { name: 'nothing', args: undefined });
// @ts-expect-error it takes none
new Process(nothing, { args: [1] });

// ---- optional and rest parameters

function optional(_text: string, _times?: number): void {}

new Process(optional, { args: ['a'] });
new Process(optional, { args: ['a', 2] });
// @ts-expect-error a string is no number
new Process(optional, { args: ['a', 'b'] });

function allOptional(_times = 1): void {}

new Process(allOptional);
new Process(allOptional, { args: [] });
new Process(allOptional, { args: [2] });
// @ts-expect-error a string is no number
new Process(allOptional, { args: ['b'] });

function rest(_text: string, ..._numbers: number[]): void {}

new Process(rest, { args: ['a'] });
new Process(rest, { args: ['a', 1, 2, 3] });
// @ts-expect-error a string is no number
new Process(rest, { args: ['a', 1, 'b'] });

function variadic(..._values: unknown[]): void {}

new Process(variadic);
new Process(variadic, { args: [1, 'b', lock] });

// ---- asynchronous and generic functions, methods, arrow functions

async function asynchronous(_queue: Queue<number>): Promise<void> {}

new Process(asynchronous, { args: [numbers] });
// @ts-expect-error an item would be a string
new Process(asynchronous, { args: [texts] });

function generic<T>(_queue: Queue<T>, _item: T): void {}

new Process(generic, { args: [numbers, 1] });
new Process(generic<string>, { args: [texts, 'a'] });
// @ts-expect-error a string is no Queue
new Process(generic, { args: ['a', 1] });

function bounded<T extends string>(_text: T): void {}

new Process(bounded, { args: ['a'] });
// @ts-expect-error a number is no string
new Process(bounded, { args: [1] });

const arrow = (_flag: boolean) => 1;
new Process(arrow, { args: [true] });
// @ts-expect-error a number is no boolean
new Process(arrow, { args: [1] });

function withThis(this: void, _flag: boolean): void {}
new Process(withThis, { args: [true] });

// ---- objects of holdfast pass as themselves

function objects(_lock: Lock, _nested: { list: (Semaphore | null)[] }): void {}

new Process(objects, { args: [lock, { list: [semaphore, null] }] });
// @ts-expect-error a handle arrives as a handle
new Process(objects, { args: [lock.toJSON(), { list: [] }] });

// ---- by module

new Process({ module: './work.js' });
new Process({ module: new URL('file:///work.js'), export: 'work' }, { args: [1, 'b'] });
// @ts-expect-error args are an array
new Process({ module: './work.js' }, { args: 1 });
// @ts-expect-error there is no such property
new Process({ module: './work.js', exprot: 'work' });
// @ts-expect-error the module is missing
new Process({ export: 'work' });

new Process<typeof add>({ module: './work.js', export: 'add' }, { args: [1, 2] });
// @ts-expect-error a string is no number
new Process<typeof add>({ module: './work.js', export: 'add' }, { args: [1, 'b'] });
// @ts-expect-error args are missing
new Process<typeof add>({ module: './work.js', export: 'add' });

// ---- targets whose type says little

declare const some: Function;
declare const either: Function | { module: string };
declare const anything: (...args: unknown[]) => unknown;
new Process(some);
new Process(some, { args: [1, 'b'] });
new Process(either, { args: [1, 'b'] });
new Process(anything, { args: [1, 'b'] });
// @ts-expect-error a number is no target
new Process(1);

// ---- results

export async function results(): Promise<void> {
  const length: number = await new Process(count, { args: ['a'] }).start().result();
  const settled: string = await new Process(later).start().result();
  const unknown: unknown = await new Process(some).start().result({ timeout: length });
  // @ts-expect-error a number is no string
  const wrong: string = await new Process(count, { args: ['a'] }).start().result();
  void [settled, unknown, wrong];
}

function count(text: string): number {
  return text.length;
}

async function later(): Promise<string> {
  return 'later';
}

new Process(some, { env: { A: '1' }, cwd: '/', stdio: 'pipe', execArgv: [], errors: [TypeError] });
new Process(some, { stdio: ['ignore', 'pipe', 'inherit'] });
// @ts-expect-error two streams
new Process(some, { stdio: ['ignore', 'pipe'] });
// @ts-expect-error a number is no text
new Process(some, { env: { A: 1 } });

// ---- every Process is a Process

const child: Process = new Process(add, { args: [1, 2] }).start();
const children: Process[] = [child, new Process(nothing), ...activeChildren()];
const isIn: boolean = children.includes(new Process(optional, { args: ['a'] }));
const options: ProcessOptions = { args: [1, 'b'], name: isIn ? 'in' : 'out' };
new Process({ module: './work.js' }, options);
new Process(some, options);

export class Named extends Process {
  constructor(target: Function, args: unknown[]) {
    super(target, { args, name: target.name });
  }
}
