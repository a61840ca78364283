// Compiled and never run: each entry of the package has types, also where only `typesVersions`
// tells the compiler where they are. `npm run check` compiles this file under every TypeScript that
// the package supports, in an ES module and in CommonJS.
import 'holdfast/navigator-locks';
import { type Cluster, LockLostError, connect as connectToEtcd } from 'holdfast/etcd';
import { connect as connectToMemory } from 'holdfast/local';
import { connect as connectToPostgres, schemaSql } from 'holdfast/postgres';
import { connect as connectToRedis } from 'holdfast/redis';

export async function clusters(): Promise<Cluster[]> {
  const sql: string = schemaSql;
  console.log(sql, LockLostError.name);
  // @ts-expect-error a URL is a text
  await connectToMemory(1);
  return [
    await connectToMemory(),
    await connectToPostgres('postgres://localhost/it'),
    await connectToRedis('redis://localhost'),
    await connectToEtcd('http://localhost:2379'),
  ];
}
