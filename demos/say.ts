// How the demos print: with the time and a colour for each process on a terminal, plainly
// elsewhere.
import { styleText } from 'node:util';
import { currentProcess } from 'holdfast';

const colours = { MainProcess: 'white', 'Process-1': 'cyan', 'Process-2': 'yellow' } as const;

export function say(text: string): void {
  if (!process.stdout.isTTY) return console.log(text);
  const time = new Date().toISOString().slice(11, 23);
  const colour = colours[currentProcess().name as keyof typeof colours] ?? 'green';
  console.log(`${styleText('gray', time)}  ${styleText(colour, text)}`);
}
