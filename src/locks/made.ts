// What the addon returns of requests for locks.
import { answer } from '../records/mailbox.js';

/** What the addon has left of the last request. Each field is valid until the next call. */
export const made = {
  get cell(): number {
    return answer[0]!;
  },
  /** 0 if it is not in the table. */
  get ticket(): number {
    return answer[1]!;
  },
  get token(): number {
    return answer[2]!;
  },
  get abandoned(): boolean {
    return answer[3] !== 0;
  },
};

/** What collect() returns of one request: status, cell, ticket, token, abandoned. */
export type Row = [number, number, number, number, number];
