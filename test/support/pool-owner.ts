// The death of the process that has a Pool, at one of its accesses to what it shares with its
// workers. All its workers must end, a Pool of the same name can start at once, and nothing stays.
import { Pool, list } from 'holdfast';
import { objectFiles } from './directory.js';
import { descriptors, isThere, square } from './pool-kills.js';
import { Program, nobodySurvives } from './program.js';
import { until } from './time.js';

export interface PoolOwnerPlan {
  /** The first access at which the process dies. */
  readonly first: number;
  /** Every so many accesses. */
  readonly stride: number;
}

export interface PoolOwnerOutcome {
  /** At how many accesses it has died. */
  points: number;
  faults: string[];
}

const name = 'the pool of a process that dies';

/** What is there of this directory, and of the descriptors of this process. */
const count = () => ({
  objects: list().length,
  files: objectFiles(process.env['HOLDFAST_DIR']!).length,
  descriptors: descriptors() ?? 0,
});

/** Starts a Pool of the same name and uses it. */
async function succeed(): Promise<void> {
  await using pool = new Pool({ processes: 1, name, execArgv: [] });
  const result = await pool.run(square, 7);
  if (result !== 49) throw new Error(`the next pool answers ${String(result)}`);
}

/** One death. False if the process came to its end before. */
async function playDeath(point: number): Promise<boolean> {
  const program = new Program('pool-owner.mjs', { args: [name, String(point)] });
  await until(() => !isThere(program.pid), 'the death of the process');
  await succeed();
  const { code, signal, stderr } = await program.outcome(); // this waits for its workers, too
  await nobodySurvives();
  if (signal !== 'SIGKILL' && code !== 0) throw new Error(`it ended with ${code}: ${stderr}`);
  return signal === 'SIGKILL';
}

/** Goes on until the process makes no further access. */
export async function playPoolOwner({ first, stride }: PoolOwnerPlan): Promise<PoolOwnerOutcome> {
  const faults: string[] = [];
  await succeed(); // what a first Pool opens for good is open from now on
  const before = count();
  let points = 0;
  for (let point = first; ; point += stride) {
    try {
      if (!(await playDeath(point))) break;
      const isClean = () => {
        const { objects, files } = count();
        return objects <= before.objects && files <= before.files;
      };
      await until(isClean, 'that nothing of it stays');
    } catch (error) {
      faults.push(`at access ${point}: ${String(error)}, ${JSON.stringify([before, count()])}`);
    }
    points++;
  }
  // This thread keeps the doorbells open that it wrote to last.
  const after = count().descriptors;
  if (after > before.descriptors + 4) {
    faults.push(`${before.descriptors} descriptors before, ${after} after`);
  }
  return { points, faults };
}
