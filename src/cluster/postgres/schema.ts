// The schema in PostgreSQL: its tables, and how it is made and upgraded. Its functions are in
// sql-*.ts. docs/cluster.md shows what privileges it needs.
//
// The row of a name in `locks` guards all that the name has: its holders, which are in the row, and
// its line, the rows of the name in `waits`. A function locks that row first. One that locks
// several names takes them in the order of their keys, so no two ever wait for each other.
//
// A session lives as long as its row in `sessions`. Only bury() and close_session() delete that
// row, in a transaction that locks no name. What a dead session held or waited for is taken out by
// those who find it at that name.
import { askSql } from './sql-ask.js';
import { deadlocksSql } from './sql-deadlocks.js';
import { inspectSql } from './sql-inspect.js';
import { jobsSql } from './sql-jobs.js';
import { namesSql } from './sql-names.js';
import { sessionsSql } from './sql-sessions.js';

/** Raised with every change of a table, or of what a function takes, returns or means. */
export const schemaVersion = 2;

/**
 * Tables that no crash of the server must lose are logged: the jobs. Sessions end with a crash in
 * any case, because their connections do, and so does all that belongs to them.
 */
const tables = `
create table holdfast.meta (version integer not null);
insert into holdfast.meta values (0);

-- Not of the table, whose sequence would begin again after a crash.
create sequence holdfast.session_ids as integer minvalue 1 cycle;

create unlogged table holdfast.sessions (
  id integer primary key,
  namespace text collate "C" not null,
  -- It has an advisory lock, which ends with its connection.
  by_connection boolean not null,
  ttl interval not null,
  expires timestamptz not null
);

create unlogged table holdfast.locks (
  namespace text collate "C" not null,
  kind "char" not null, -- 'l' lock, 's' semaphore
  key text collate "C" not null,
  name text not null,
  token bigint not null,
  permits integer, -- of a semaphore
  is_exclusive boolean not null default false,
  abandoned boolean not null default false,
  holders integer[] not null default '{}', -- sessions
  requests bigint[] not null default '{}', -- and the number that each gave to its request
  -- Rows of the name in waits. If nobody holds the name, nobody waits.
  waiting integer not null default 0,
  primary key (namespace, kind, key)
) with (fillfactor = 50);

create unlogged table holdfast.waits (
  namespace text collate "C" not null,
  kind "char" not null,
  key text collate "C" not null,
  place bigint generated always as identity,
  session integer not null,
  request bigint not null,
  is_exclusive boolean not null,
  primary key (namespace, kind, key, place)
);
create index waits_session on holdfast.waits (session, request);

create table holdfast.jobs (
  id bigint generated always as identity primary key,
  namespace text collate "C" not null,
  queue text collate "C" not null,
  value text not null,
  deliveries integer not null default 0,
  token bigint not null default 0,
  session integer -- who has taken it
) with (fillfactor = 70);
create index jobs_waiting on holdfast.jobs (namespace, queue, id) where session is null;
create index jobs_taken on holdfast.jobs (session) where session is not null;

-- Sessions that found a queue empty.
create unlogged table holdfast.takers (
  namespace text collate "C" not null,
  queue text collate "C" not null,
  session integer not null,
  primary key (namespace, queue, session)
);
`;

const functions = [namesSql, sessionsSql, askSql, jobsSql, deadlocksSql, inspectSql].join('');

/** Makes the schema, when it is not there. */
const make = `create schema holdfast;\n${tables}`;

/**
 * For those who look for deadlocks. Sessions of version 1 may be open meanwhile. They call ask()
 * and open_session() without the new parameters, which have defaults.
 */
const toVersion2 = `
alter table holdfast.sessions
  -- Who has the session, as JSON: host, process, thread.
  add column client text not null default '{}',
  -- How often it has told that its waits go on.
  add column told integer not null default 0;
alter table holdfast.waits
  add column since timestamptz not null default clock_timestamp(),
  -- The requests of the session that hold until this wait ends. Null: it takes no part.
  add column inside bigint[] default '{}';
drop function if exists
  holdfast.ask(text, "char", text, text, integer, bigint, boolean, integer, boolean, boolean);
drop function if exists holdfast.open_session(text, integer, boolean);
`;

/** What brings version n - 1 to version n, beside the functions. The first makes the tables. */
const steps: readonly string[] = [make, toVersion2];

/**
 * What brings a schema of that version (0: there is none) to ours, in one transaction, which holds
 * the advisory lock `schemaLock`.
 */
export function upgradeFrom(version: number): string {
  return [
    ...steps.slice(version),
    functions,
    `update holdfast.meta set version = ${schemaVersion};`,
  ].join('\n');
}

/** All that makes the schema in an empty database: for an administrator who does it by hand. */
export const schemaSql: string = upgradeFrom(0);

/** Two integers that name an advisory lock: 'hold' in ASCII, and what it is for. */
export const schemaLock = [0x686f_6c64, 0] as const;
