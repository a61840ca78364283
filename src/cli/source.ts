// What `ls`, `waits`, `top` and `dashboard` look at: this host, or what an engine keeps (--url).
import { EngineLooks } from '../observe/engine.js';
import { type Seen, snapshot } from '../observe/snapshot.js';
import { type Options, UsageError, type Values } from './command.js';

export const sourceOptions = {
  url: { type: 'string' },
  namespace: { type: 'string' },
} as const satisfies Options;

export const sourceHelp = `  --url URL         of an engine: postgres:, redis:, etcd:, local:
  --namespace NAME  which namespace of the engine; default without it`;

/** Where to look, again and again. */
export interface Source {
  /** True if it is an engine. */
  readonly isEngine: boolean;
  next(): Promise<Seen[]>;
  close(): Promise<void>;
}

export function sourceOf(values: Values): Source {
  const { url, namespace } = values as { url?: string; namespace?: string };
  if (url === undefined) {
    if (namespace !== undefined) throw new UsageError('--namespace goes with --url');
    return { isEngine: false, next: snapshot, close: async () => {} };
  }
  const looks = new EngineLooks(url, namespace);
  return { isEngine: true, next: () => looks.next(), close: () => looks.close() };
}

/** One look. */
export async function lookOnce(source: Source): Promise<Seen[]> {
  try {
    return await source.next();
  } finally {
    await source.close();
  }
}
