// Prints which tables there are before and after the first use of `locks`.
import { LockManager, list, locks } from 'holdfast';

const names = () => list().map(({ name }) => name);
const before = names();
await locks.request('it', async () => {
  const manager = new LockManager();
  const { held } = await manager.query();
  const same = manager.namespace === locks.namespace && held.length === 1;
  console.log(JSON.stringify({ before, during: names(), same }));
  manager.close();
});
