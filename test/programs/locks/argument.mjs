// Starts itself as a Process with a LockManager among the arguments, at two depths. Prints what the
// child saw.
import { isMainThread } from 'node:worker_threads';
import { LockManager, Process, SharedMemory } from 'holdfast';

export async function child(manager, [{ again }], report) {
  const bytes = new Uint8Array(report.buffer);
  bytes[0] = manager instanceof LockManager && again instanceof LockManager ? 1 : 0;
  bytes[1] = manager.namespace === again.namespace ? 1 : 0;
  bytes[2] = await again.request('it', { ifAvailable: true }, (lock) => Number(lock === null));
}

if (isMainThread && import.meta.filename === process.argv[1]) {
  const manager = new LockManager({ namespace: `argument ${process.pid}` });
  const report = new SharedMemory(3);
  await manager.request('it', async () => {
    const started = new Process(child, { args: [manager, [{ again: manager }], report] });
    await started.start().join();
    const seen = [...new Uint8Array(report.buffer)];
    console.log(JSON.stringify({ exitCode: started.exitCode, seen }));
  });
  manager.close();
  report.close();
}
