import { Lock } from '../holdfast.mjs';
import { report } from '../lock/timed.mjs';

// Another object is open all the while, so that the thread stays an agent.
const other = new Lock();
const name = `bench-${process.pid}`;

await report((n) => {
  for (let i = 0; i < n; i++) new Lock({ name }).close();
});
other.close();
