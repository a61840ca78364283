// A redis-server for one contestant, on a Unix socket in the scratch directory. It writes nothing
// to disk and uses no network. If the contestant is killed, it ends with the process group.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { scratchPath } from './scratch.mjs';

const socketOf = (name) => scratchPath(`${name}.sock`);

/** Starts a server that answers to `name`; returns how to end it. */
export async function serve(name) {
  const quiet = ['--save', '', '--appendonly', 'no', '--port', '0', '--daemonize', 'no'];
  const where = [
    '--unixsocket',
    socketOf(name),
    '--unixsocketperm',
    '700',
    '--dir',
    scratchPath(''),
  ];
  const server = spawn('redis-server', [...quiet, ...where], { stdio: 'ignore' });
  const ended = once(server, 'exit');
  return async () => {
    server.kill();
    await ended;
  };
}

/** A connection to the server of that name, as soon as it listens. */
export async function connect(name) {
  const redis = new Redis(socketOf(name), {
    retryStrategy: () => 5,
    maxRetriesPerRequest: null,
    enableReadyCheck: true,
  });
  redis.on('error', () => {}); // until it listens
  await redis.ping();
  return redis;
}

// The lock from the manual of Redis: SET NX PX with a token, and a release that compares the token.
const TTL_MS = 30_000;
const POLL_MS = 1;
const RELEASE = `
  if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end
  return 0`;

/** To wait, it asks again every millisecond, which is the shortest timer of Node. */
export function lockOf(redis, key) {
  redis.defineCommand('giveBack', { numberOfKeys: 1, lua: RELEASE });
  const token = String(process.pid);
  return {
    async acquire() {
      while ((await redis.set(key, token, 'PX', TTL_MS, 'NX')) === null) await sleep(POLL_MS);
    },
    release: () => redis.giveBack(key, token),
  };
}
