// A program that pm2 could run.
import { Process, parentProcess } from 'holdfast';

export function work() {
  console.log(JSON.stringify(['worked', parentProcess().name]));
}

if (parentProcess() === null) {
  const child = new Process(work).start();
  void child.join().then(() => console.log(JSON.stringify(child.exitCode)));
}
