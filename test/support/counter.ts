import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { temporaryDirectory } from './directory.js';

/** A number in a file of its own. The act `count` adds to it without any protection. */
export class Counter {
  readonly file = path.join(temporaryDirectory(), 'counter');
  constructor() {
    writeFileSync(this.file, Buffer.alloc(4));
  }
  read(): number {
    return new DataView(new Uint8Array(readFileSync(this.file)).buffer).getUint32(0, true);
  }
}
