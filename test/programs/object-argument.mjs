// Makes an object of the given kind. Starts itself as a Process with the object as an argument at
// two depths. Prints what the child saw.
import { isMainThread } from 'node:worker_threads';
import { BoundedSemaphore, Event, Process, ReadWriteLock, SharedMemory } from 'holdfast';

const made = {
  BoundedSemaphore: () => new BoundedSemaphore(2),
  ReadWriteLock: () => new ReadWriteLock(),
  Event: () => new Event(),
  SharedMemory: () => new SharedMemory(100),
};

export function child(object, [{ again }], report) {
  const bytes = new Uint8Array(report.buffer);
  const isOne = again.constructor === object.constructor && again.name === object.name;
  if (object instanceof BoundedSemaphore) {
    bytes[1] = object.value();
    again.release();
    bytes[2] = object.value();
  } else if (object instanceof ReadWriteLock) {
    bytes[1] = object.tryAcquireExclusive() === null ? 1 : 0;
    bytes[2] = again.tryAcquireShared() === null ? 1 : 0;
  } else if (object instanceof Event) {
    bytes[1] = object.isSet() ? 1 : 0;
    again.clear();
    bytes[2] = object.isSet() ? 1 : 0;
  } else {
    bytes[1] = new Uint8Array(object.buffer)[7];
    new Uint8Array(again.buffer)[8] = 9;
    bytes[2] = new Uint8Array(object.buffer)[8];
  }
  bytes[0] = isOne ? 1 : 0;
}

const kind = process.argv[2];
if (isMainThread && kind in made && import.meta.filename === process.argv[1]) {
  const object = made[kind]();
  const report = new SharedMemory(3);
  let guard;
  if (kind === 'BoundedSemaphore') guard = object.acquireSync();
  if (kind === 'ReadWriteLock') guard = object.acquireSharedSync();
  if (kind === 'Event') object.set();
  if (kind === 'SharedMemory') new Uint8Array(object.buffer)[7] = 7;
  const process1 = new Process(child, { args: [object, [{ again: object }], report] });
  await process1.start().join();
  const after = {
    BoundedSemaphore: () => object.value(),
    ReadWriteLock: () => object.inspect().readers.length,
    Event: () => Number(object.isSet()),
    SharedMemory: () => new Uint8Array(object.buffer)[8],
  };
  const seen = [...new Uint8Array(report.buffer)];
  console.log(JSON.stringify([process1.exitCode, ...seen, after[kind]()]));
  try {
    guard?.release();
  } catch (error) {
    console.log(JSON.stringify(error.code));
  }
  object.close();
  report.close();
}
