// Holds the lock 'it' of a cluster, and writes to a resource with its token every 20 ms, until it
// finds out that the lock is lost. Then it writes once more, as a process does that does not check.
//   node holder.mjs <url> <namespace> <options as JSON> <port of the resource>
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'holdfast';
import { checks } from './proof.mjs';

const [url, namespace, options, port] = process.argv.slice(2);
const cluster = await connect(url, { namespace, ...JSON.parse(options) });

/** 'accepted' or 'refused'. */
async function write(token) {
  const answer = await fetch(`http://127.0.0.1:${port}/${token}`, { method: 'POST' });
  return answer.text();
}

const request = cluster.locks.request('it', async (lock) => {
  lock.signal.addEventListener('abort', () => console.log(`aborted ${lock.signal.reason.reason}`));
  console.log(`holds ${lock.token}`);
  while (checks(lock)) {
    await write(lock.token);
    await sleep(20);
  }
  console.log(`lost ${await write(lock.token)}`);
});
await request.catch((error) => console.log(`rejected ${error.code} ${error.reason}`));
await cluster.close();
