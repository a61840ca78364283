/** Sends to the parent, and waits until that has left: this thread may block right after it. */
export function tell(message) {
  return new Promise((resolve, reject) => {
    process.send(message, (error) => (error ? reject(error) : resolve()));
  });
}
