// Blocks its main thread for the Lock of that name. Prints 'acquired', or the code of the error.
import { Lock } from 'holdfast';

try {
  new Lock({ name: process.argv[2] }).acquireSync();
  console.log('acquired');
} catch (error) {
  console.log(error.code);
}
