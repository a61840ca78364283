// A TypeScript program with Processes; its types can be stripped.
import { currentProcess, Lock, Process } from 'holdfast';

interface Work {
  lock: Lock;
  words: string[];
}

export async function work({ lock, words }: Work): Promise<void> {
  const guard = await lock.acquire();
  console.log(JSON.stringify([currentProcess().name, ...words]));
  guard.release();
  if (words.length < 3) {
    await new Process(work, { args: [{ lock, words: [...words, 'more'] }] }).start().join();
  }
}

if (process.argv[1] === import.meta.filename) {
  const lock = new Lock();
  const child = new Process(work, { args: [{ lock, words: ['typed'] } satisfies Work] });
  child.start();
  await child.join();
  console.log(child.exitCode);
  lock.close();
}
