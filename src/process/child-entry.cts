// The first file of a child. It keeps the messages of the parent until child.ts listens.
//
// It is CommonJS, because a CommonJS program runs before the event loop turns for the first time.
// ES modules load later. By then the Job may have arrived, and the parent that sent it may be gone.
const messages: unknown[] = [];
const listener = (message: unknown) => void messages.push(message);
process.on('message', listener);
Object.defineProperty(globalThis, Symbol.for('holdfast.early'), {
  value: { messages, listener },
  configurable: true,
});
void import('./child.js');
