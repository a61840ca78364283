// pipe-peer.mjs <handle of a Connection> <async or sync>: sends back what it receives, and says
// when the end came.
import { EndedError, attach } from 'holdfast';

const connection = attach(JSON.parse(process.argv[2]));
console.log('ready');
for (;;) {
  let item;
  try {
    item = process.argv[3] === 'sync' ? connection.receiveSync() : await connection.receive();
  } catch (error) {
    if (!(error instanceof EndedError)) throw error;
    console.log('end');
    break;
  }
  if (item === 'close') break;
  await connection.send({ echo: item, pid: process.pid });
}
connection.close();
