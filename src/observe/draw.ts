// The graph of waits as text for Graphviz, and as a picture of our own.
import type { Agent, Graph, Resource } from './graph.js';
import { printable } from './printable.js';

/** A box of the picture. */
interface Node {
  readonly id: string;
  readonly lines: readonly string[];
  readonly isAgent: boolean;
  readonly isSuspect: boolean;
}

/** An arrow: from who waits to what, or from what to who holds it. */
interface Edge {
  readonly from: string;
  readonly to: string;
  readonly label: string;
  readonly isSuspect: boolean;
}

const seconds = (ms: number | null): string => (ms === null ? '' : `${(ms / 1000).toFixed(1)} s`);

function agentNode({ id, pid, threadId, processName }: Agent, isSuspect: boolean): Node {
  const thread = threadId === 0 ? `${pid}` : `${pid}, worker ${threadId}`;
  return { id: `agent ${id}`, lines: [processName, thread], isAgent: true, isSuspect };
}

function resourceNode({ id, kind, name }: Resource, isSuspect: boolean): Node {
  return { id: `object ${id}`, lines: [name, kind], isAgent: false, isSuspect };
}

function parts({ waits, suspicions }: Graph): { nodes: Node[]; edges: Edge[] } {
  const suspects = new Set(suspicions.flatMap((one) => one.waits));
  // Some of a suspicion are in no state of an object.
  const nodes = new Map<string, Node>();
  const edges = new Map<string, Edge>();
  const addNode = (node: Node) => {
    if (node.isSuspect || !nodes.has(node.id)) nodes.set(node.id, node);
    return node.id;
  };
  const addEdge = (edge: Edge) => edges.set(`${edge.from}\0${edge.to}\0${edge.label}`, edge);
  for (const wait of new Set([...waits, ...suspects])) {
    const isSuspect = suspects.has(wait);
    const waiter = addNode(agentNode(wait.waiter, isSuspect));
    const object = addNode(resourceNode(wait.resource, isSuspect));
    const times = wait.count > 1 ? `${wait.how} x${wait.count}` : wait.how;
    addEdge({ from: waiter, to: object, label: times, isSuspect });
    for (const holder of wait.holders) {
      const to = addNode(agentNode(holder, isSuspect));
      addEdge({ from: object, to, label: seconds(wait.resource.heldFor), isSuspect });
    }
  }
  return { nodes: [...nodes.values()], edges: [...edges.values()] };
}

/** Each of `lines` is one in the label. */
const quoted = (...lines: string[]): string =>
  `"${lines.map((line) => printable(line).replace(/["\\]/g, '\\$&')).join('\\n')}"`;

/** For dot(1) of Graphviz. */
export function toDot(graph: Graph): string {
  const { nodes, edges } = parts(graph);
  const lines = nodes.map(({ id, lines: label, isAgent, isSuspect }) => {
    const shape = isAgent ? 'box' : 'ellipse';
    const color = isSuspect ? ', color=red' : '';
    return `  ${quoted(id)} [label=${quoted(...label)}, shape=${shape}${color}];`;
  });
  for (const { from, to, label, isSuspect } of edges) {
    const color = isSuspect ? ', color=red' : '';
    lines.push(`  ${quoted(from)} -> ${quoted(to)} [label=${quoted(label)}${color}];`);
  }
  return `digraph waits {\n  rankdir=LR;\n${lines.join('\n')}\n}\n`;
}

/** Text inside an element or an attribute. */
export function escapeXml(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return (
    text
      .replace(/[&<>"]/g, (character) => entities[character]!)
      // What XML does not allow, and what turns the direction of writing.
      .replace(/[\p{Cc}\p{Cf}\p{Surrogate}]/gu, '\u{FFFD}')
  );
}

const box = { width: 190, height: 46, gapX: 90, gapY: 22, margin: 16 };

/**
 * The column of each node: behind the longest chain of waits that leads to it. In a cycle the edge
 * that closes it is left out.
 */
function columnsOf(nodes: readonly Node[], edges: readonly Edge[]): Map<string, number> {
  const column = new Map<string, number>();
  const open = new Set<string>();
  const visit = (id: string): number => {
    const known = column.get(id);
    if (known !== undefined) return known;
    open.add(id);
    let deepest = 0;
    for (const { from, to } of edges) {
      if (to === id && !open.has(from)) deepest = Math.max(deepest, visit(from) + 1);
    }
    open.delete(id);
    column.set(id, deepest);
    return deepest;
  };
  for (const { id } of nodes) visit(id);
  return column;
}

function placesOf(
  nodes: readonly Node[],
  columns: Map<string, number>,
): Map<string, [number, number]> {
  const used: number[] = [];
  const places = new Map<string, [number, number]>();
  for (const { id } of nodes) {
    const column = columns.get(id)!;
    const row = (used[column] = (used[column] ?? 0) + 1) - 1;
    const x = box.margin + column * (box.width + box.gapX);
    places.set(id, [x, box.margin + row * (box.height + box.gapY)]);
  }
  return places;
}

function drawNode({ lines, isAgent, isSuspect }: Node, [x, y]: [number, number]): string {
  const middle = x + box.width / 2;
  const classes = `${isAgent ? 'agent' : 'object'}${isSuspect ? ' suspect' : ''}`;
  const texts = lines.map((line, i) => {
    const short = [...line].length > 26 ? `${[...line].slice(0, 25).join('')}\u2026` : line;
    return `<text x="${middle}" y="${y + 19 + 16 * i}">${escapeXml(short)}</text>`;
  });
  const corner = isAgent ? 3 : box.height / 2;
  return (
    `<g class="${classes}"><title>${escapeXml(lines.join('\n'))}</title>` +
    `<rect x="${x}" y="${y}" width="${box.width}" height="${box.height}" rx="${corner}"/>` +
    `${texts.join('')}</g>`
  );
}

function drawEdge(
  { label, isSuspect }: Edge,
  from: [number, number],
  to: [number, number],
): string {
  const isBack = to[0] <= from[0];
  const [x1, y1] = [
    from[0] + (isBack ? box.width / 2 : box.width),
    from[1] + box.height / (isBack ? 1 : 2),
  ];
  const [x2, y2] = [to[0] + (isBack ? box.width / 2 : 0), to[1] + box.height / (isBack ? 1 : 2)];
  const bend = isBack
    ? `C ${x1} ${y1 + 70}, ${x2} ${y2 + 70}, ${x2} ${y2}`
    : `C ${x1 + 40} ${y1}, ${x2 - 40} ${y2}, ${x2} ${y2}`;
  const at = `x="${(x1 + x2) / 2}" y="${(y1 + y2) / 2 + (isBack ? 48 : -5)}"`;
  return (
    `<path class="edge${isSuspect ? ' suspect' : ''}" d="M ${x1} ${y1} ${bend}" marker-end="url(#end)"/>` +
    `<text class="label" ${at}>${escapeXml(label)}</text>`
  );
}

/** How the classes of the picture look. */
export const pictureStyle = `
  .waits text { font: 13px system-ui, sans-serif; text-anchor: middle; fill: #222 }
  .waits .label { font-size: 11px; fill: #666 }
  .waits rect { fill: #eef3fb; stroke: #5b7db1 }
  .waits .object rect { fill: #fdf6e3; stroke: #b58900 }
  .waits .edge { fill: none; stroke: #888; stroke-width: 1.4 }
  .waits .suspect rect, .waits .edge.suspect { stroke: #c0182b; stroke-width: 2.2 }`;

/** A picture: waiters on the left, what and whom they wait for to the right of them. */
export function picture(graph: Graph, style = ''): string {
  const { nodes, edges } = parts(graph);
  const places = placesOf(nodes, columnsOf(nodes, edges));
  const xs = [...places.values()].map(([x]) => x);
  const ys = [...places.values()].map(([, y]) => y);
  const width = Math.max(0, ...xs) + box.width + box.margin;
  const height = Math.max(0, ...ys) + box.height + box.margin + 60;
  const drawn = [
    ...edges.map((edge) => drawEdge(edge, places.get(edge.from)!, places.get(edge.to)!)),
    ...nodes.map((node) => drawNode(node, places.get(node.id)!)),
  ];
  const nothing = `<text x="${width / 2}" y="40">nobody waits</text>`;
  const size = `viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" class="waits" ${size}>${style}
<defs><marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"
 orient="auto"><path d="M 0 0 L 8 4 L 0 8 z" fill="#666"/></marker></defs>
${drawn.length > 0 ? drawn.join('\n') : nothing}
</svg>
`;
}

/** The picture as a file of its own. */
export function toSvg(graph: Graph): string {
  return picture(graph, `\n<style>${pictureStyle}\n</style>`);
}
