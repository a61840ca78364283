// Node's own waiting: for a byte on a Unix socket. It is the floor of what an event loop spends
// while nothing happens, and of what it spends to be woken once.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { scratchPath } from '../scratch.mjs';
import { play } from './idle.mjs';

await play(import.meta.filename, {
  byte(name, isFirst = false) {
    return isFirst ? giver(name) : taker(name);
  },
});

async function giver(name) {
  const server = createServer().listen(scratchPath(name));
  await once(server, 'listening');
  const connected = once(server, 'connection');
  return {
    take() {},
    async give() {
      const [socket] = await connected;
      socket.write('x');
    },
    async close() {
      (await connected)[0].destroy();
      server.close();
    },
  };
}

async function taker(name) {
  const socket = connect(scratchPath(name));
  await once(socket, 'connect');
  return {
    take: () => once(socket, 'data'),
    give() {},
    close: () => socket.destroy(),
  };
}
