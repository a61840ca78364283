// require('holdfast/navigator-locks')
require('holdfast/navigator-locks');
globalThis.navigator.locks.request('it', (lock) => console.log(lock.mode));
