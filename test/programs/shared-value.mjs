// shared-value.mjs <name> <sync or async> <rounds>: adds 1 in two steps, under the lock.
import { SharedValue } from 'holdfast';

const [name, form, rounds] = process.argv.slice(2);
const value = new SharedValue('int32', 0, { name, mustExist: true });
for (let i = 0; i < Number(rounds); i++) {
  if (form === 'sync') value.withLockSync(() => value.value++);
  else await value.withLock(() => void value.value++);
}
