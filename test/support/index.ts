// Everything that suites need. The import registers the hooks.
export * from './actor.js';
export * from './actors.js';
export * from './cases.js';
export * from './cli.js';
export * from './counter.js';
export * from './directory.js';
export * from './expect.js';
export { freshName, track } from './hooks.js';
export * from './layout.js';
export * from './mounts.js';
export * from './openers.js';
export * from './platform.js';
export * from './program.js';
export * from './random.js';
export * from './scale.js';
export * from './stats.js';
export * from './time.js';
export * from './without-buffers.js';
