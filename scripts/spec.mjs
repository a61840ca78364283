// The models of spec/: each is searched in full, and each of its seeded faults has to be caught.
//
//   npm run spec            all of them
//   npm run spec -- lock    those of one model or more
//
// Needs Debian's `spin` and a C compiler. Without spin there is nothing to run: a failure in CI,
// elsewhere one skipped. The last line is `N passed, N failed[, N skipped]`.

import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { die, isMain, knowOnly, root, run, say, Tally } from './common.mjs';

/** The memory of one search in MB. A search that needs more fails; it is never incomplete. */
const memory_mb = 1400;
const depth = 100_000;
const watchdogMs = 5 * 60_000;

/** The searches that take half of the time. CI leaves them out. */
const longSearches = [
  'BUDGET=1 THIRD=1 ENDS=0',
  'USERS=3 BUDGET=1 ABORTS=0',
  'BUDGET=2 STEALS=1 ABORTS=0',
  'BUDGET=0 STOPS=1 DOZES=2 FOREIGN=1',
  'BUDGET=1 GIVES=1',
  'BUDGET=1 ABORTS=1 STEALS=1',
];

/**
 * For each model: the searches that must find nothing (`-D` settings, see the head of each model),
 * and for each fault the search that must find it. `live` searches for non-progress cycles under
 * weak fairness.
 */
const models = {
  lock: {
    safe: ['BUDGET=2 THIRD=0', 'BUDGET=0 THIRD=1', 'BUDGET=1 THIRD=1 ENDS=0'],
    live: ['BUDGET=1 THIRD=0'],
    faults: {
      claim_without_swap: 'BUDGET=1',
      release_without_swap: 'BUDGET=1',
      rescue_of_living: 'BUDGET=1',
      no_rescue: 'BUDGET=1',
      patience_in_the_handle: 'BUDGET=1 THIRD=0',
      end_without_alarm: 'BUDGET=1',
      hold_without_number: 'BUDGET=1',
      shared_hold_number: 'BUDGET=0',
      surplus_posted_back: 'live BUDGET=0 THIRD=0',
    },
  },
  wait_set: {
    safe: ['USERS=3 BUDGET=0', 'USERS=3 BUDGET=1 ABORTS=0', 'USERS=2 BUDGET=2 GARBAGE'],
    live: ['USERS=2 BUDGET=2 GARBAGE'],
    faults: {
      look_before_enrol: 'BUDGET=0',
      wake_before_post: 'BUDGET=0',
      bit_before_entry: 'BUDGET=0',
      no_exchange: 'BUDGET=1',
      no_pass_on: 'BUDGET=0',
      cancel_clears_bit: 'BUDGET=0 ABORTS=0',
      no_slice: 'BUDGET=1',
    },
  },
  queue: {
    safe: ['BUDGET=2'],
    live: ['BUDGET=0'],
    faults: {
      tail_before_bytes: 'BUDGET=1',
      two_stores: 'BUDGET=1',
      capacity_before_copy: 'BUDGET=1',
      reserve_late: 'BUDGET=1',
      head_before_bytes: 'BUDGET=0',
      puts_without_tail: 'BUDGET=0',
      grows_without_tail: 'BUDGET=0',
      grows_without_section: 'BUDGET=0',
      sees_the_end_without_tail: 'BUDGET=0',
      no_consistent: 'BUDGET=1',
      size_of_two_reads: 'BUDGET=1',
    },
  },
  lifetime: {
    safe: ['BUDGET=2'],
    live: ['BUDGET=1'],
    faults: {
      sweep_without_lock: 'BUDGET=1',
      close_without_lock: 'BUDGET=1',
      close_by_name: 'BUDGET=1',
      close_is_not_last: 'BUDGET=1',
      shared_lock_late: 'BUDGET=1',
      file_before_semaphore: 'BUDGET=1',
      semaphore_before_magic: 'BUDGET=1',
      sweep_takes_news: 'BUDGET=1',
      news_before_lock: 'BUDGET=1',
      unlink_without_mark: 'BUDGET=1',
    },
  },
  rlock: {
    safe: ['BUDGET=2', 'BUDGET=1 LONELY'],
    live: ['BUDGET=0 LONELY'],
    faults: {
      claim_without_swap: 'BUDGET=1 LONELY',
      death_of_anybody: 'BUDGET=1',
      mutex_kept: 'BUDGET=1',
      no_rescue: 'BUDGET=1 LONELY',
      no_wake: 'BUDGET=0',
      silent_return: 'BUDGET=0 LONELY',
    },
  },
  delay: {
    safe: ['BUDGET=0 DELAYS=2', 'BUDGET=1 DELAYS=1'],
    live: [],
    faults: {
      promotes_early: 'BUDGET=0',
      forgets_the_rest: 'BUDGET=0',
      no_recompute: 'BUDGET=1 DELAYS=1',
    },
  },
  copying: {
    safe: ['BUDGET=2 GIVES=0', 'BUDGET=2 GIVES=0 SMALL', 'BUDGET=0 GIVES=1', 'BUDGET=1 GIVES=1'],
    live: [],
    faults: {
      publishes_first: 'BUDGET=0 GIVES=0',
      counts_at_once: 'BUDGET=0 GIVES=0',
      done_instead_of_void: 'BUDGET=0 GIVES=0',
      done_uncounted: 'BUDGET=0 GIVES=0',
      no_second_look: 'BUDGET=1 GIVES=0',
      no_recount: 'BUDGET=1 GIVES=0',
      recounts_without_tail: 'BUDGET=1 GIVES=0 SMALL',
    },
  },
  priority: {
    safe: ['BUDGET=0', 'BUDGET=1 RETRIES=1 AGENTS=2'],
    live: [],
    faults: {
      leaves_out_the_last: 'BUDGET=0',
      retry_without_hint: 'BUDGET=0',
      published_without_hint: 'BUDGET=0',
      list_stays: 'BUDGET=0',
      ready_stays: 'BUDGET=0',
      no_recompute: 'BUDGET=1 AGENTS=2',
    },
  },
  giving_way: {
    safe: ['BUDGET=0 ROUNDS=3 ABORTS=0', 'BUDGET=0', 'BUDGET=1 ROUNDS=1 ABORTS=0'],
    live: [],
    faults: {
      no_giving_way: 'BUDGET=0 ROUNDS=3 ABORTS=0',
      gives_way_to_itself: 'BUDGET=0 ABORTS=0',
      end_of_anybody: 'BUDGET=0 ROUNDS=3 ABORTS=0',
      withdraw_in_silence: 'BUDGET=0',
      no_look_after_announcing: 'BUDGET=0',
      wake_anybody: 'BUDGET=0 ABORTS=0',
      no_lapse: 'BUDGET=1 ROUNDS=1 ABORTS=0',
    },
  },
  parking: {
    safe: ['BUDGET=0 ROUNDS=3', 'BUDGET=2'],
    live: ['BUDGET=1'],
    faults: {
      tries_before_it_asks: 'BUDGET=0',
      wakes_before_it_releases: 'BUDGET=0',
      wakes_without_swap: 'BUDGET=0',
      does_not_ask_for_others: 'BUDGET=0',
      no_time_out: 'BUDGET=1',
    },
  },
  deadlock: {
    safe: [
      'RING BUDGET=0 ENDS=0',
      'BUDGET=0 ENDS=0',
      'PAIR BUDGET=2',
      'PAIR BUDGET=0 FOREIGN=1',
      'PAIR BUDGET=1 UNHEARD=1',
    ],
    live: [],
    faults: {
      looks_once: 'PAIR BUDGET=0',
      does_not_wait_for_news: 'PAIR BUDGET=0',
      counts_what_was_under_way: 'PAIR BUDGET=0 ENDS=0 FOREIGN=1',
      takes_back_as_news: 'PAIR BUDGET=0 ENDS=0 FOREIGN=1',
      leaves_what_has_failed: 'PAIR BUDGET=0',
      without_comparing: 'PAIR BUDGET=0',
      waits_for_the_unheard: 'PAIR BUDGET=0 ENDS=0 UNHEARD=1',
      counts_the_unheard: 'PAIR BUDGET=0 UNHEARD=1',
      notes_anew_what_is_left: 'BUDGET=0 ENDS=0',
    },
  },
  dozing: {
    safe: [
      'BUDGET=1 FOREIGN=1',
      'BUDGET=0 STOPS=1 FOREIGN=1',
      'BUDGET=0 STOPS=1 DOZES=2 FOREIGN=1',
    ],
    live: [],
    faults: {
      only_afterwards: 'BUDGET=0 STOPS=1',
      taken_out_to_ring: 'BUDGET=1 GIVES_UP=1',
      entry_not_looked_at: 'BUDGET=1 GIVES_UP=1',
      no_second_slice: 'BUDGET=1 GIVES_UP=1',
      doze_without_a_watch: 'BUDGET=1',
      one_is_woken: 'BUDGET=1',
      word_taken_away_early: 'BUDGET=1 FOREIGN=1',
      word_without_a_count: 'BUDGET=0 STOPS=1 DOZES=2 FOREIGN=1',
    },
  },
  pool: {
    safe: ['BUDGET=1 STEALS=0', 'BUDGET=1 ABORTS=1 STEALS=1'],
    live: [],
    faults: {
      begins_late: 'BUDGET=0 ABORTS=0',
      begins_without_swap: 'BUDGET=0 ABORTS=0',
      revokes_without_swap: 'BUDGET=0 ABORTS=0',
      word_without_number: 'BUDGET=0',
      place_is_used_early: 'BUDGET=0 ABORTS=0',
      half_an_answer_counts: 'BUDGET=0 ABORTS=0',
      answers_are_not_read: 'BUDGET=1 ABORTS=0',
      kills_before_it_takes_back: 'BUDGET=0',
    },
  },
  lock_manager: {
    safe: ['BUDGET=1', 'BUDGET=2 STEALS=1 ABORTS=0'],
    live: ['BUDGET=0', 'BUDGET=1 STEALS=0 ABORTS=0'],
    faults: {
      no_rebuild: 'BUDGET=1',
      no_slice: 'BUDGET=1',
      no_wake: 'BUDGET=0',
      line_by_cells: 'BUDGET=1',
      token_after_state: 'BUDGET=1',
      untold_after_state: 'BUDGET=1',
      evict_before_owner: 'BUDGET=1',
      drop_before_grant: 'BUDGET=2 STEALS=0 ABORTS=0',
      no_abandoned: 'BUDGET=1',
      thief_not_told: 'BUDGET=1',
    },
  },
};

async function command(directory, name, args) {
  const { code, output, timedOut } = await run(name, args, {
    cwd: directory,
    capture: true,
    echo: false,
    timeoutMs: watchdogMs,
  });
  if (timedOut) throw new Error(`${name} was stopped after ${watchdogMs / 60_000} min`);
  if (code !== 0) throw new Error(`${name} ${args.join(' ')} failed:\n${output}`);
  return output;
}

/** Runs one search of a model. Unless an error ends it, it covers all states. */
async function search(model, settings, fault) {
  const words = settings.split(' ');
  const live = words[0] === 'live';
  const defines = words.filter((word) => word !== 'live').map((word) => `-D${word}`);
  if (fault) defines.push(`-DFAULT_${fault}`);
  // Compiles and runs in a directory of its own, so that nothing is left and two runs do not
  // collide.
  const directory = mkdtempSync(path.join(os.tmpdir(), 'hf-spec-'));
  try {
    const file = `${model}.pml`;
    copyFileSync(path.join(root, 'spec', file), path.join(directory, file));
    await command(directory, 'spin', [...defines, '-a', file]);
    const kind = live ? ['-DNP', '-DNFAIR=3'] : ['-DSAFETY', '-DNOCLAIM'];
    // Most of a run is compilation. -O2 compiles three times as long as -Og and searches no faster,
    // and a fault is found early.
    const flags = [
      fault ? '-O0' : '-Og',
      '-w',
      ...kind,
      `-DMEMLIM=${memory_mb}`,
      '-o',
      'pan',
      'pan.c',
    ];
    await command(directory, process.env.CC ?? 'cc', flags);
    const started = performance.now();
    const output = await command(directory, './pan', [`-m${depth}`, ...(live ? ['-l', '-f'] : [])]);
    const seconds = (performance.now() - started) / 1000;
    const found = (pattern) => pattern.exec(output)?.[1];
    const errors = Number(found(/errors: (\d+)/) ?? Number.NaN);
    const incomplete = found(/(out of memory|max search depth too small|reached -DMEMLIM bound)/);
    if (Number.isNaN(errors)) throw new Error(`no result:\n${output}`);
    if (incomplete && errors === 0) throw new Error(`the search is not complete: ${incomplete}`);
    return {
      errors,
      error: found(/^pan:1: (.*)$/m),
      states: Number(found(/^\s*([\d.e+]+) states, stored/m)),
      depth: Number(found(/depth reached (\d+)/)),
      seconds,
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const figures = ({ states, depth: reached, seconds }) =>
  `${states} states, depth ${reached}, ${seconds.toFixed(1)} s`;

/** Checks that the table above and each model name the same faults. It needs no spin. */
async function checkTable(tally, model) {
  const { faults } = models[model];
  const text = readFileSync(path.join(root, 'spec', `${model}.pml`), 'utf8');
  const seeded = new Set([...text.matchAll(/\bFAULT_(\w+)/g)].map((match) => match[1]));
  await tally.check(`${model}: every seeded fault is run`, () => {
    for (const fault of seeded) {
      if (!Object.hasOwn(faults, fault)) throw new Error(`${fault} is not in scripts/spec.mjs`);
    }
    for (const fault of Object.keys(faults)) {
      if (!seeded.has(fault)) throw new Error(`${fault} is not in spec/${model}.pml`);
    }
  });
}

async function checkModel(tally, model) {
  const { safe, live, faults } = models[model];
  for (const settings of [...safe, ...live.map((each) => `live ${each}`)]) {
    if (process.env.CI && longSearches.includes(settings)) continue;
    await tally.check(`${model}: ${settings}`, async () => {
      const result = await search(model, settings);
      if (result.errors > 0) throw new Error(`${result.error}; ${figures(result)}`);
      console.log(figures(result));
    });
  }
  for (const [fault, settings] of Object.entries(faults)) {
    await tally.check(`${model}: fault ${fault}`, async () => {
      const result = await search(model, settings, fault);
      if (result.errors === 0) throw new Error(`not caught; ${figures(result)}`);
      console.log(`caught: ${result.error}`);
    });
  }
}

async function hasSpin() {
  try {
    return (await run('spin', ['-V'], { capture: true, echo: false })).code === 0;
  } catch {
    return false;
  }
}

/** Runs the chosen models and adds their counts to the tally. */
export async function runModels(tally, chosen = Object.keys(models)) {
  for (const model of chosen) await checkTable(tally, model);
  if (await hasSpin()) {
    for (const model of chosen) await checkModel(tally, model);
  } else if (process.env.CI === 'true') {
    console.error('FAILED spec: there is no spin; apt-get install -y spin');
    tally.add('spec', { failed: 1 });
  } else {
    say('there is no spin here, so the models are not run; apt-get install -y spin');
    tally.add('spec', { skipped: 1 });
  }
}

if (isMain(import.meta)) {
  knowOnly();
  const chosen = process.argv.slice(2);
  for (const name of chosen) {
    if (!Object.hasOwn(models, name))
      die(`no model ${name}; there are: ${Object.keys(models).join(', ')}`);
  }
  const tally = new Tally();
  await runModels(tally, chosen.length > 0 ? chosen : undefined);
  tally.finish();
}
