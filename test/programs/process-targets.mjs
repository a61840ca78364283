// What can be the target of a Process. The first argument names the scenario.
import { setTimeout as sleep } from 'node:timers/promises';
import { activeChildren, Process, Semaphore } from 'holdfast';
import { refused, runScenario, say, where } from './process-program.mjs';

export { where };

const module = import.meta.url;

export function facts() {}

function twice(fn) {
  return function wrapped(semaphore) {
    fn(semaphore);
    fn(semaphore);
  };
}

const inner = (semaphore) => semaphore.release();
export { inner as outer };
export const wrappedRelease = twice(inner);
function notExported() {}
/** This function has the name of an export, but it is another function. */
const impostor = { facts() {} }.facts;

const scenarios = {
  async unfit() {
    new Process(facts);
    await sleep(50); // the main module has been evaluated by now, so its exports are known
    const attempt = (target, options) => refused(() => new Process(target, options).start());
    say({
      anonymous: await attempt(() => {}),
      bound: await attempt(facts.bind(null)),
      native: await attempt(Math.max),
      notExported: await attempt(notExported),
      impostor: await attempt(impostor),
      class: await attempt(class Target {}),
      nothing: await attempt(undefined),
      noModule: await attempt({ module: '' }),
      noPackage: await attempt({ module: 'no-such-package-of-anybody' }),
      exportName: await attempt({ module, export: 1 }),
      args: await attempt(facts, { args: 1 }),
      name: await attempt(facts, { name: '' }),
      daemon: await attempt(facts, { daemon: 1 }),
      options: await attempt(facts, null),
      unknownOption: await attempt(facts, { nmae: 'x' }),
      unknownKey: await attempt({ module, exprot: 'facts' }),
    });
    say(activeChildren().length);
  },

  /** Before the main module has been evaluated, its exports are not known. */
  async tooEarly() {
    const children = [notExported, impostor].map((fn) => new Process(fn).start());
    await Promise.all(children.map((child) => child.join()));
    say(children.map((child) => child.exitCode));
  },

  async names() {
    const semaphore = new Semaphore(0);
    const early = [inner, wrappedRelease].map((fn) => new Process(fn, { args: [semaphore] }));
    for (const child of early) child.start();
    for (const child of early) await child.join();
    say([early.map((child) => child.exitCode), semaphore.value()]);
    semaphore.close();
  },

  async namesLater() {
    await sleep(50);
    await scenarios.names();
  },

  async modules() {
    const targets = [
      { module, export: 'where' },
      { module: new URL(module), export: 'where' },
      { module: import.meta.filename, export: 'where' },
      { module: './process-targets.mjs', export: 'where' },
      { module: './process-default.cjs' },
      { module: './process-default.cjs', export: 'hidden' },
      { module: 'node:fs', export: 'realpathSync' },
      { module: './process-no-such-file.mjs' },
      { module, export: 'noSuchExport' },
      { module: './process-broken.mjs' },
    ];
    const codes = [];
    for (const target of targets) {
      const child = new Process(target, { args: ['/'] }).start();
      await child.join();
      codes.push(child.exitCode);
    }
    say(codes);
  },
};

await runScenario(import.meta, scenarios);
