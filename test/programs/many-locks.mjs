// Opens so many locks and prints `open`. With `stay` it then stays until it is killed; otherwise
// only what the package does could keep it running.
import { Lock } from 'holdfast';

const [count, stay] = process.argv.slice(2);
const locks = Array.from({ length: Number(count) }, () => new Lock());
console.log('open', locks.length);
if (stay) setInterval(() => locks.length, 1000);
