// The page of the dashboard. Its script asks for the parts every second, and puts them in place.
import { pictureStyle } from '../observe/draw.js';

const style = `
  body { font: 14px system-ui, sans-serif; margin: 1.2em 2em; color: #222; background: #fff }
  h1 { font-size: 1.3em; margin: 0 } h2 { font-size: 1.05em; margin: 1.6em 0 .4em }
  #summary { color: #555; margin: .3em 0 } #summary strong { color: #c0182b }
  #summary span { float: right; color: #999 }
  table { border-collapse: collapse; width: 100% }
  th, td { text-align: left; padding: .25em .7em; border-bottom: 1px solid #eee }
  th { color: #777; font-weight: normal; font-size: .9em } td { white-space: nowrap }
  .chart { vertical-align: middle } .chart polyline { fill: none; stroke: #2f6fb2 }
  .timeline text { font-size: 12px; fill: #444 } .timeline line { stroke: #eee }
  section { overflow-x: auto }
  body.lost #summary { color: #c0182b }
${pictureStyle}`;

const script = `
  const look = async () => {
    try {
      const answer = await fetch('view', { cache: 'no-store' });
      if (!answer.ok) throw new Error(answer.statusText);
      const view = await answer.json();
      for (const [id, html] of Object.entries(view)) {
        document.getElementById(id).innerHTML = html;
      }
      document.body.className = '';
    } catch {
      document.body.className = 'lost';
      document.getElementById('summary').textContent = 'holdfast dashboard has ended';
    }
    setTimeout(look, 1000);
  };
  look();`;

/** `nonce`: only this script and this style are allowed. */
export function page(nonce: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>holdfast</title>
<style nonce="${nonce}">${style}</style>
<h1>holdfast</h1>
<p id="summary"></p>
<h2>Objects</h2>
<section id="objects"></section>
<h2>Who waits for whom</h2>
<section id="waits"></section>
<h2>The last minutes: above the line who held it, below who waited</h2>
<section id="timeline"></section>
<script nonce="${nonce}">${script}</script>
</html>
`;
}
