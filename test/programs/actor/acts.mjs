// Acts: what an actor can do besides calling one method. An act is a function that the command
// `act` calls by name, with its arguments and the host. If an argument is a RemoteObject, the act
// gets the object itself.
import * as barrier from './acts/barrier.mjs';
import * as condition from './acts/condition.mjs';
import * as deadlocks from './acts/deadlocks.mjs';
import * as greedy from './acts/greedy.mjs';
import { playHistory } from './acts/history.mjs';
import * as joinableQueue from './acts/joinable-queue.mjs';
import { playLocks } from './acts/lock-ledger.mjs';
import * as locks from './acts/locks.mjs';
import * as memory from './acts/memory.mjs';
import * as neighbours from './acts/neighbours.mjs';
import * as queue from './acts/queue.mjs';
import * as queueLedger from './acts/queue-ledger.mjs';
import * as queueLoad from './acts/queue-load.mjs';
import * as removals from './acts/removals.mjs';
import * as signals from './acts/signals.mjs';
import * as webLocks from './acts/web-locks.mjs';
import * as workers from './acts/workers.mjs';

export const acts = {
  ...barrier,
  ...condition,
  ...deadlocks,
  playHistory,
  playLocks,
  ...greedy,
  ...joinableQueue,
  ...locks,
  ...memory,
  ...neighbours,
  ...queue,
  ...queueLedger,
  ...queueLoad,
  ...removals,
  ...signals,
  ...webLocks,
  ...workers,
};
