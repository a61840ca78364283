// The memory for one record that is put at once. The addon is told where it is once, and not with
// each put: Node-API would need half as long for that as the whole put takes.
import type { Buffer } from 'node:buffer';
import { addon } from '../native/load.js';
import { once } from '../native/once.js';
import { Scratch } from './batch.js';

class Outbox extends Scratch {
  protected override allocate(size: number): Buffer {
    const bytes = super.allocate(size);
    addon.useOutbox(bytes);
    return bytes;
  }
}

/** This thread's outbox. The next encoder overwrites it. */
export const outbox: Scratch = once('outbox', () => new Outbox());
