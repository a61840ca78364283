// A run over a build that forbids buffers over memory of the system, as Electron does. The suites
// of SharedMemory cannot run there, nor can a test that shares memory for a purpose of its own: in
// this process, or in a program that it starts.
import { inspect } from 'node:util';

export const hasExternalBuffers = !/\/build\/no-external-buffers\//.test(
  process.env['HOLDFAST_NATIVE'] ?? '',
);

/** The suite that looks at the refusal itself. */
export const suiteOfRefusal = 'SharedMemory where the runtime';
const refusal = /this runtime does not let memory of the system become an ArrayBuffer/;

if (!hasExternalBuffers) {
  beforeEach(function () {
    const test = this.currentTest;
    const body = test?.fn as Mocha.AsyncFunc | undefined;
    if (test === undefined || body === undefined || body.length > 0) return;
    const title = test.fullTitle();
    if (title.startsWith(suiteOfRefusal)) return;
    if (/\bSharedMemory\b/.test(title)) this.skip();
    test.fn = async function (this: Mocha.Context) {
      try {
        return await body.call(this);
      } catch (error) {
        if (refusal.test(inspect(error))) this.skip();
        throw error;
      }
    };
  });
}
