// A CommonJS TypeScript program with Processes.
function target(word: string): void {
  console.log(JSON.stringify(word));
}

if (process.argv[1] === __filename) {
  // Not required: Node 20 cannot require an ES module under a loader.
  void import('holdfast').then(({ Process }) => {
    new Process(target, { args: ['cts'] }).start();
  });
}

export = { target };
