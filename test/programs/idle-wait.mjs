// Waits for a lock without blocking, and prints how often a second its threads went to sleep
// meanwhile. Started with the class and the name of the lock.
import { Lock, RLock } from 'holdfast';

const [kind, name] = process.argv.slice(2);
const lock = new { Lock, RLock }[kind]({ name });
const spent = () => [performance.now(), process.resourceUsage().voluntaryContextSwitches];
let began;
// Node works for a while after its start.
setTimeout(() => (began = spent()), 200).unref();
const guard = await lock.acquire();
const ended = spent();
guard.release();
console.log((1000 * (ended[1] - began[1])) / (ended[0] - began[0]));
