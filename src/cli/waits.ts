// `holdfast waits`: who waits for whom.
import { deadlocksNow, suspicionsThroughCommands } from '../deadlocks/show.js';
import type { DeadlockedWait } from '../errors.js';
import { toDot, toSvg } from '../observe/draw.js';
import { type Graph, type Wait, graphOf, suspicionOf } from '../observe/graph.js';
import { type Command, UsageError, exit, read } from './command.js';
import { lookOnce, sourceHelp, sourceOf, sourceOptions } from './source.js';
import { printable } from '../observe/printable.js';
import { agent, duration } from './text.js';

function line({ waiter, resource, how, count, holders, longestWait }: Wait): string {
  const what = `${resource.kind} ${printable(resource.name)}`;
  const times = count > 1 ? ` x${count}` : '';
  const long = longestWait === null ? '' : `, longest wait ${duration(longestWait)}`;
  const by = holders.map(agent).join(' and ');
  const since = resource.heldFor === null ? '' : ` for ${duration(resource.heldFor)}`;
  const held = holders.length === 0 ? '' : `, held by ${by}${since}`;
  return `${agent(waiter)} waits for ${what} (${how}${times}${long})${held}`;
}

function certainLine(wait: DeadlockedWait): string {
  const { kind, name, lock, how, waitedFor, heldBy } = wait;
  const what = `${kind} ${printable(name)}${lock === undefined ? '' : ` ${printable(lock)}`}`;
  const by = heldBy.map(agent).join(' and ');
  return `${agent(wait)} waits for ${what} (${how}) since ${duration(waitedFor)}, held by ${by}`;
}

function* lines({ waits, suspicions }: Graph, deadlocks: DeadlockedWait[][]): Generator<string> {
  for (const cycle of deadlocks) {
    yield 'deadlock:';
    for (const wait of cycle) yield `  ${certainLine(wait)}`;
  }
  for (const { waits: cycle } of suspicions) {
    yield 'possible deadlock:';
    for (const wait of cycle) yield `  ${line(wait)}`;
  }
  if (deadlocks.length + suspicions.length > 0) yield '';
  for (const wait of waits) yield line(wait);
  if (waits.length === 0) yield 'nobody waits';
}

export const waits: Command = {
  summary: 'who waits for whom; deadlocks first',
  help: `usage: holdfast waits [--json | --dot | --svg] [--url URL [--namespace NAME]]

Shows which threads wait, for what, and who holds it. Deadlocks come first: the threads themselves
have found them, and end one of the waits. Then come cycles that are a possible deadlock and not a
certain one: a thread that waits for one thing asynchronously may still let go of what another of
its tasks holds.

  --json            the graph as JSON
  --dot             the graph for dot(1) of Graphviz
  --svg             the graph as a picture
${sourceHelp}

Of an engine it shows possible deadlocks only, between sessions.

Exit codes: 0 no cycle; 1 there is one; 64 wrong arguments; 71 the system refused something.
`,
  async run(args) {
    const { values } = read(args, {
      json: { type: 'boolean' },
      dot: { type: 'boolean' },
      svg: { type: 'boolean' },
      ...sourceOptions,
    });
    const forms = ['json', 'dot', 'svg'].filter((form) => values[form] !== undefined);
    if (forms.length > 1) throw new UsageError('take one of --json, --dot and --svg');
    const source = sourceOf(values);
    const seen = graphOf(await lookOnce(source));
    const deadlocks = source.isEngine ? [] : deadlocksNow();
    const told = source.isEngine ? [] : suspicionsThroughCommands();
    const graph = { ...seen, suspicions: [...seen.suspicions, ...told.map(suspicionOf)] };
    const text = () => `${[...lines(graph, deadlocks)].join('\n')}\n`;
    const json = () => `${JSON.stringify({ deadlocks, ...graph }, undefined, 2)}\n`;
    if (values['json']) process.stdout.write(json());
    else process.stdout.write(values['dot'] ? toDot(graph) : values['svg'] ? toSvg(graph) : text());
    const found = deadlocks.length + graph.suspicions.length;
    return found > 0 ? exit.negative : exit.ok;
  },
};
