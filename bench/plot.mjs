// SVG by hand: horizontal bars with a whisker over the quartiles, one section for each metric of a
// panel. Colours follow the reader's light or dark scheme.

import { quantity } from './tables.mjs';

const WIDTH = 920;
const LABELS = 390;
const VALUES = 90; // at the right, the median in words
const PLOT = WIDTH - LABELS - VALUES;
const ROW = 20;
const BAR = 12;
const TITLE = 30;
const AXIS = 24;
// Beyond this span a linear axis would make dots of the short bars.
const LOG_SPAN = 20;

const style = `
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600 } .axis { fill: #656d76; font-size: 11px }
  .grid { stroke: #d0d7de } .whisker { stroke: #1f2328; stroke-width: 1.5 }
  .ours { fill: #2f81f7 } .floor { fill: #4a9d5f } .rival { fill: #a8b0b9 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .axis { fill: #9198a1 } .grid { stroke: #3d444d }
    .whisker { stroke: #e6edf3 } .rival { fill: #656d76 } .floor { fill: #57ab6a }
  }`;

const classOf = (family) =>
  ({ holdfast: 'ours', core: 'ours', c: 'floor', boost: 'floor', mqueue: 'floor' })[family] ??
  'rival';

const escaped = (text) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** The plot of one panel; null if there is nothing to compare. */
export function plot({ metrics }, contestants) {
  const sections = metrics
    .map((metric) => ({ metric, bars: barsOf(metric, contestants) }))
    .filter(({ bars }) => bars.length > 1 && bars.every(({ value }) => value >= 0));
  if (sections.length === 0) return null;
  let top = 0;
  const drawn = sections.map(({ metric, bars }) => {
    const text = `<g transform="translate(0 ${top})">${section(metric, bars)}</g>`;
    top += TITLE + bars.length * ROW + AXIS;
    return text;
  });
  const size = `width="${WIDTH}" height="${top}" viewBox="0 0 ${WIDTH} ${top}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>\n<style>${style}\n</style>\n${drawn.join('\n')}\n</svg>\n`;
}

function barsOf({ id, quantiles }, contestants) {
  return contestants
    .filter(({ results }) => results[id] !== undefined)
    .map(({ label, family, results }) => {
      const { median, p25, p75, quantiles: at } = results[id];
      // Of single events, from the first quantile asked for to the last.
      const [low, high] = quantiles ? [at[quantiles[0]], at[quantiles.at(-1)]] : [p25, p75];
      return { label, family, value: median, low, high };
    });
}

function section({ title, unit, quantiles }, bars) {
  const axis = axisOf(bars);
  const bottom = TITLE + bars.length * ROW;
  const kind = [title, quantiles && 'median, and a whisker to the last quantile']
    .filter((part) => part)
    .join(', ');
  const grid = axis.ticks.map((tick) => {
    const x = LABELS + axis.at(tick) * PLOT;
    return (
      `<line class="grid" x1="${f(x)}" y1="${TITLE - 4}" x2="${f(x)}" y2="${bottom}"/>` +
      `<text class="axis" x="${f(x)}" y="${bottom + 14}" text-anchor="middle">${tickText(tick, unit)}</text>`
    );
  });
  return [
    `<text class="title" x="0" y="16">${escaped(kind)}${axis.isLog ? ' (log axis)' : ''}</text>`,
    ...grid,
    ...bars.map((bar, i) => drawBar(bar, axis, unit, TITLE + i * ROW)),
  ].join('\n');
}

function drawBar({ label, family, value, low, high }, axis, unit, top) {
  const [x, from, to] = [value, low, high].map((at) => LABELS + axis.at(at) * PLOT);
  const y = top + ROW / 2;
  return [
    `<text x="${LABELS - 8}" y="${y + 4}" text-anchor="end">${escaped(label)}</text>`,
    `<rect class="${classOf(family)}" x="${LABELS}" y="${y - BAR / 2}" width="${f(Math.max(1, x - LABELS))}" height="${BAR}"/>`,
    `<line class="whisker" x1="${f(from)}" y1="${y}" x2="${f(to)}" y2="${y}"/>`,
    `<text class="axis" x="${WIDTH}" y="${y + 4}" text-anchor="end">${quantity(value, unit)}</text>`,
  ].join('\n');
}

/** `at(value)` is 0 at the left end and 1 at the right. */
function axisOf(bars) {
  const positive = bars.flatMap(({ value, low }) => [value, low]).filter((value) => value > 0);
  const max = Math.max(...bars.flatMap(({ value, high }) => [value, high]), 1e-9);
  const min = Math.min(...positive, max);
  if (max / min <= LOG_SPAN) {
    const step = niceStep(max / 5);
    const end = Math.ceil(max / step) * step;
    const ticks = Array.from({ length: Math.round(end / step) + 1 }, (_, i) => i * step);
    return { isLog: false, ticks, at: (value) => value / end };
  }
  const [first, last] = [Math.floor(Math.log10(min)), Math.ceil(Math.log10(max))];
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
  const at = (value) =>
    value <= 0 ? 0 : Math.max(0, (Math.log10(value) - first) / (last - first));
  return { isLog: true, ticks, at };
}

/** 1, 2 or 5 times a power of ten, at least `about`. */
function niceStep(about) {
  const power = 10 ** Math.floor(Math.log10(about));
  return [1, 2, 5, 10].map((by) => by * power).find((step) => step >= about * (1 - 1e-9));
}

const tickText = (value, unit) =>
  quantity(value, unit).replace(/(\d)(\.\d*?)0+(?= |$)/, (_, before, after) =>
    after === '.' ? before : before + after,
  );

const f = (x) => x.toFixed(1);
