// The functions of the schema, as a session calls them. sql-*.ts has what they do.
import type { Call } from './link.js';

const name = ['namespace', 'kind', 'key'] as const;
const queue = ['namespace', 'queue'] as const;

export const calls = {
  openSession: {
    name: 'open_session',
    parameters: ['namespace', 'ttl', 'by_connection', 'client'],
  },
  ask: {
    name: 'ask',
    parameters: [
      ...name,
      'name',
      'session',
      'request',
      'exclusive',
      'permits',
      'if_available',
      'steal',
      'inside',
    ],
    isSet: true,
  },
  finish: { name: 'finish', parameters: [...name, 'session', 'request'] },
  toldWaits: { name: 'told_waits', parameters: ['namespace', 'session'] },
  endDeadlock: {
    name: 'end_deadlock',
    parameters: [...name, 'session', 'request', 'circle_sessions', 'circle_requests'],
  },
  inspect: { name: 'inspect', parameters: ['namespace'] },
  query: { name: 'query', parameters: ['namespace'], isSet: true },
  put: { name: 'put', parameters: [...queue, 'values'] },
  take: { name: 'take', parameters: [...queue, 'session', 'most'], isSet: true },
  stopWaiting: { name: 'stop_waiting', parameters: [...queue, 'session'] },
  settle: { name: 'settle', parameters: [...queue, 'session', 'done', 'retry'] },
  renew: { name: 'renew', parameters: ['session'] },
  closeSession: { name: 'close_session', parameters: ['session'] },
  bury: { name: 'bury', parameters: ['ids'] },
  watch: { name: 'watch', parameters: ['session', 'most_ms'] },
  visit: { name: 'visit', parameters: ['session'] },
} satisfies Record<string, Call>;
