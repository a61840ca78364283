// What every pool of Node is put through: an empty task, one after the other and many at once, and
// 1,000 Buffers of 1 MiB, of which the tasks return the lengths.

export const workers = 2;

const plan = {
  latency: { batches: 5, tasks: 1000, warmUp: 8000 },
  throughput: { batches: 5, tasks: 4000, warmUp: 8000 },
  buffers: { batches: 1, tasks: 1000, warmUp: 16 },
};

const mib = 1 << 20;

/**
 * `run` calls an empty function; `lengths` resolves to what `lengthOf` returns for each item.
 * Without `lengths` a pool cannot send Buffers.
 */
export async function play({ run, lengths }) {
  const buffers = Array.from({ length: plan.buffers.tasks }, () => Buffer.alloc(mib, 'x'));
  const measures = {
    async latency(count) {
      for (let i = 0; i < count; i++) await run();
    },
    async throughput(count) {
      await Promise.all(Array.from({ length: count }, () => run()));
    },
    async buffers(count) {
      const items = buffers.slice(0, count);
      const found = await lengths(items);
      if (found.length !== count || found.some((length) => length !== mib)) {
        throw new Error('a length is wrong');
      }
    },
  };
  const results = {};
  for (const [name, { batches, tasks, warmUp }] of Object.entries(plan)) {
    if (name === 'buffers' && lengths === undefined) continue;
    await measures[name](warmUp);
    results[name] = [];
    for (let i = 0; i < batches; i++) {
      const began = process.hrtime.bigint();
      await measures[name](tasks);
      results[name].push(Number(process.hrtime.bigint() - began) / tasks);
    }
  }
  console.log(JSON.stringify(results));
}
