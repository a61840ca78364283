// `holdfast waits`: who waits for whom.
import { toDot, toSvg } from '../observe/draw.js';
import { type Graph, type Wait, graphOf } from '../observe/graph.js';
import { snapshot } from '../observe/snapshot.js';
import { type Command, UsageError, exit, read } from './command.js';
import { agent, duration, printable } from './text.js';

function line({ waiter, resource, how, count, holders, longestWait }: Wait): string {
  const what = `${resource.kind} ${printable(resource.name)}`;
  const times = count > 1 ? ` x${count}` : '';
  const long = longestWait === null ? '' : `, longest wait ${duration(longestWait)}`;
  const by = holders.map(agent).join(' and ');
  const since = resource.heldFor === null ? '' : ` for ${duration(resource.heldFor)}`;
  const held = holders.length === 0 ? '' : `, held by ${by}${since}`;
  return `${agent(waiter)} waits for ${what} (${how}${times}${long})${held}`;
}

function* lines({ waits, suspicions }: Graph): Generator<string> {
  for (const { waits: cycle } of suspicions) {
    yield 'possible deadlock:';
    for (const wait of cycle) yield `  ${line(wait)}`;
  }
  if (suspicions.length > 0) yield '';
  for (const wait of waits) yield line(wait);
  if (waits.length === 0) yield 'nobody waits';
}

export const waits: Command = {
  summary: 'who waits for whom; possible deadlocks first',
  help: `usage: holdfast waits [--json | --dot | --svg]

Shows which threads wait, for what, and who holds it. Cycles come first. A cycle is a possible
deadlock and not a certain one: a thread that waits for one thing asynchronously may still let go of
what another of its tasks holds.

  --json  the graph as JSON
  --dot   the graph for dot(1) of Graphviz
  --svg   the graph as a picture

Exit codes: 0 no cycle; 1 there is one; 64 wrong arguments; 71 the system refused something.
`,
  async run(args) {
    const { values } = read(args, {
      json: { type: 'boolean' },
      dot: { type: 'boolean' },
      svg: { type: 'boolean' },
    });
    if (Object.keys(values).length > 1) throw new UsageError('take one of --json, --dot and --svg');
    const graph = graphOf(await snapshot());
    const text = () => `${[...lines(graph)].join('\n')}\n`;
    if (values['json']) process.stdout.write(`${JSON.stringify(graph, undefined, 2)}\n`);
    else process.stdout.write(values['dot'] ? toDot(graph) : values['svg'] ? toSvg(graph) : text());
    return graph.suspicions.length > 0 ? exit.negative : exit.ok;
  },
};
