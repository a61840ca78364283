// A CommonJS module with an export that Node finds only when it runs the module.
const { writeSync } = require('node:fs');

module.exports = function main() {
  writeSync(1, '"default of CommonJS"\n');
};
const name = 'hid' + 'den';
module.exports[name] = () => {
  writeSync(1, '"hidden in CommonJS"\n');
};
