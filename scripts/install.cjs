// What npm runs when it installs the package (`install` in package.json). There is nothing to do if
// a binary for this machine is there: the package finds it by itself. Otherwise this fails, and
// `node-gyp rebuild` makes one.

/** The binary is there, and this process alone may not load it. */
const notHere = ['ERR_DLOPEN_DISABLED', 'ERR_ACCESS_DENIED'];

delete process.env.HOLDFAST_NATIVE;
if (process.env.npm_config_build_from_source === 'true') process.exit(1);
try {
  require('../lib/native/load.js');
} catch (error) {
  if (!notHere.includes(error.cause?.code)) {
    console.error('holdfast: no binary that is here can be loaded, so one is compiled');
    process.exit(1);
  }
}
