// A CommonJS program with Processes.
const { Process, currentProcess } = require('holdfast');

function named() {
  console.log(JSON.stringify([currentProcess().name, require.main === module]));
}
function notExported() {}
exports.named = named;
exports.renamed = function original() {
  console.log('"original"');
};

if (require.main === module) {
  new Process(named).start(); // known although the module is not loaded yet
  new Process(exports.renamed).start();
  setTimeout(() => {
    try {
      new Process(notExported).start();
    } catch (error) {
      console.log(JSON.stringify([error.code, error.message]));
    }
  });
}
