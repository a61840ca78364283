// The parts of the dashboard's page, as HTML. Everything that comes from an object is escaped.
import { escapeXml, picture } from '../observe/draw.js';
import { graphOf } from '../observe/graph.js';
import type { History, Line, Sample } from '../observe/history.js';
import type { Rated } from '../observe/rates.js';
import { waitsOf } from '../observe/snapshot.js';
import { holdersOf } from './list.js';
import { printable } from '../observe/printable.js';
import { bytes, count, duration, rate } from './text.js';

/** A part of the page and what it shows now, by the id of its element. */
export type View = Record<'summary' | 'objects' | 'waits' | 'timeline', string>;

export interface Span {
  readonly now: number;
  readonly span_ms: number;
}

const text = (value: string): string => escapeXml(printable(value));

/**
 * A small chart of a number over the last minutes. It has a point for each column of pixels, the
 * highest there, and none inside of a level stretch: the page asks for all charts every second.
 */
function chart(samples: readonly Sample[], of: (sample: Sample) => number, span: Span): string {
  const [width, height] = [150, 24];
  const most = Math.max(1e-9, ...samples.map(of));
  const highest = new Map<number, number>();
  for (const sample of samples) {
    const x = Math.round(width * (1 - (span.now - sample.at) / span.span_ms));
    highest.set(x, Math.max(highest.get(x) ?? 0, of(sample)));
  }
  const all = [...highest].map(([x, value]) => {
    return { x, y: (height - 2 - ((height - 4) * value) / most).toFixed(1) };
  });
  const points = all
    .filter(({ y }, i) => y !== all[i - 1]?.y || y !== all[i + 1]?.y)
    .map(({ x, y }) => `${x},${y}`);
  return (
    `<svg class="chart" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">` +
    `<polyline points="${points.join(' ')}"/></svg>`
  );
}

function row(one: Rated, history: History, span: Span): string {
  const { state } = one;
  const samples = history.lineOf(one);
  const cells = [
    text(one.kind),
    `<b>${text(one.name)}</b>`,
    text(holdersOf(one)),
    duration(state?.heldFor),
    String(waitsOf(one)),
    duration(state?.longestWait),
    `${chart(samples, (sample) => sample.acquired, span)} ${rate(one.acquired)}/s`,
    `${chart(samples, (sample) => sample.waiting, span)} ${rate(one.contended)}/s`,
    count(state?.abandonments),
    count(state?.size),
    count(state?.delayed),
    bytes(one.bytes),
  ];
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
}

const heads =
  'Kind|Name|Held by|For|Waiting|Longest|Used|Waiting, contended|Abandoned|Items|Delayed|Storage'.split(
    '|',
  );

function objects(history: History, span: Span): string {
  const rows = history.latest.map((one) => row(one, history, span));
  if (rows.length === 0) return '<p>There are no objects.</p>';
  const head = heads.map((one) => `<th>${one}</th>`).join('');
  return `<table><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

/** A colour for each process; the same one each time. */
function colorOf(who: string): string {
  let hash = 0;
  for (const character of who) hash = (hash * 31 + character.codePointAt(0)!) % 360;
  return `hsl(${hash} 65% 45%)`;
}

const lane = { left: 260, width: 760, height: 26 };

/** Samples that follow each other and show the same, as one stretch. */
function stretches(samples: readonly Sample[], of: (sample: Sample) => string[], now: number) {
  const found: { who: string; from: number; to: number }[] = [];
  samples.forEach((sample, i) => {
    const to = samples[i + 1]?.at ?? now;
    for (const who of of(sample)) {
      const last = found.findLast((one) => one.who === who);
      if (last?.to === sample.at) last.to = to;
      else found.push({ who, from: sample.at, to });
    }
  });
  return found;
}

function timelineRow({ kind, name, samples }: Line, y: number, span: Span): string {
  const x = (at: number) => lane.left + lane.width * (1 - (span.now - at) / span.span_ms);
  const bars = (of: (sample: Sample) => string[], top: number, height: number, what: string) =>
    stretches(samples, of, span.now).map(({ who, from, to }) => {
      const width = Math.max(1, x(to) - x(from));
      const title = `${printable(who)} ${what} for ${duration(to - from)}`;
      return (
        `<rect x="${x(from).toFixed(1)}" y="${y + top}" width="${width.toFixed(1)}" ` +
        `height="${height}" fill="${colorOf(who)}"><title>${escapeXml(title)}</title></rect>`
      );
    });
  return [
    `<text x="0" y="${y + 14}">${text(`${kind} ${name}`.slice(0, 38))}</text>`,
    `<line x1="${lane.left}" x2="${lane.left + lane.width}" y1="${y + 20}" y2="${y + 20}"/>`,
    ...bars(({ holders }) => [...holders], 2, 11, 'held it'),
    ...bars(({ waiters }) => [...waiters], 15, 4, 'waited'),
  ].join('');
}

function timeline({ lines }: History, span: Span): string {
  const used = lines.filter(({ samples }) =>
    samples.some(({ holders, waiters }) => holders.length + waiters.length > 0),
  );
  if (used.length === 0) return '<p>Nothing was held at a look in the last minutes.</p>';
  const height = used.length * lane.height + 20;
  const width = lane.left + lane.width;
  const rows = used.map((line, i) => timelineRow(line, i * lane.height, span));
  const foot = `y="${height - 4}"`;
  return (
    `<svg class="timeline" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">` +
    `${rows.join('')}<text x="${lane.left}" ${foot}>${duration(span.span_ms)} ago</text>` +
    `<text x="${width - 30}" ${foot}>now</text></svg>`
  );
}

export function viewOf(history: History, span: Span, where: string): View {
  const { latest } = history;
  const graph = graphOf(latest);
  const held = latest.filter(({ state }) => (state?.holders.length ?? 0) > 0).length;
  const suspects = graph.suspicions.length;
  const alarm = suspects === 0 ? '' : ` <strong>possible deadlocks: ${suspects}</strong>`;
  const summary = `${latest.length} objects, ${held} held, ${graph.waits.length} waits.${alarm}`;
  return {
    summary: `${summary} <span>${text(where)}</span>`,
    objects: objects(history, span),
    waits: graph.waits.length === 0 ? '<p>Nobody waits.</p>' : picture(graph),
    timeline: timeline(history, span),
  };
}
