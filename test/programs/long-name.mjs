// Makes a Lock whose name has the given number of bytes, holds it, and starts itself as a Process
// with the lock as an argument. Prints the exit code, the length of the name in the child, and
// whether the lock was held there.
import { Lock, Process, SharedMemory } from 'holdfast';

export function child(lock, [{ again }], report) {
  const words = new Uint16Array(report.buffer);
  words[0] = again.name === lock.name ? lock.name.length : 0;
  words[1] = lock.tryAcquire() === null && again.tryAcquire() === null ? 1 : 0;
}

if (import.meta.filename === process.argv[1]) {
  const length = Number(process.argv[2]);
  const lock = new Lock({ name: `long ${process.pid} `.padEnd(length, 'n') });
  const report = new SharedMemory(4);
  const guard = lock.acquireSync();
  const started = new Process(child, { args: [lock, [{ again: lock }], report] });
  await started.start().join();
  console.log(JSON.stringify([started.exitCode, ...new Uint16Array(report.buffer)]));
  guard.release();
  lock.close();
  report.close();
}
