// The first file of a child. It is CommonJS because that runs before the event loop turns: the Job may be in
// the channel already, and the parent that sent it gone. The rest are ES modules, and load too late to
// hear of either.
const messages: unknown[] = [];
const listener = (message: unknown) => void messages.push(message);
process.on('message', listener);
Object.defineProperty(globalThis, Symbol.for('holdfast.early'), {
  value: { messages, listener },
  configurable: true,
});
void import('./child.js');
