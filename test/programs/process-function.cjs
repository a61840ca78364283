// A CommonJS program whose only export is a function.
const { Process } = require('holdfast');

module.exports = function target(word) {
  console.log(JSON.stringify(word));
};

if (require.main === module) new Process(module.exports, { args: ['called'] }).start();
