// The time that a command may take, on every engine that has a server.
import { setImmediate } from 'node:timers/promises';
import { now } from '../../support/index.js';
import { forEachServer, open } from '../subjects.js';

forEachServer('deadlines', 'all', (subject) => {
  it('an answer that has arrived is not late, however long this thread was busy', async () => {
    const commandTimeout = 300;
    const a = await open(subject, { ttl: 60_000, commandTimeout });
    const answered = a.locks.query();
    // By then it is sent.
    await setImmediate();
    const began = now();
    while (now() - began < 2 * commandTimeout);
    await answered;
  });
});
