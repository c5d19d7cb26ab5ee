import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { pinning, ROOT } from './start.ts';

const PERFORMANCE_PAGE = 'docs/operations/performance.md';

export function toTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const [first, ...others] = head;
  const rule = ['---', ...others.map(() => '--:')];
  return [[first ?? '', ...others], rule, ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

/** Date, machine and method of a measurement. */
export function describeConditions(how: string): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown';
  const day = new Date().toISOString().slice(0, 10);
  return `Measured on ${day}, Node.js ${process.versions.node}, ${cpus().length} × ${model}, ${pinning}. ${how}`;
}

/** Prints a report, and writes it between its markers in a page of the documentation. */
export function publish(section: string, text: string, page = PERFORMANCE_PAGE): void {
  print(text);
  const { before, after } = splitPage(section, page);
  writeFileSync(join(ROOT, page), `${before}\n\n${text}\n\n${after}`);
}

/** The text between the markers of a section. */
export function readSection(section: string, page = PERFORMANCE_PAGE): string {
  return splitPage(section, page).text;
}

export function print(text: string): void {
  // biome-ignore lint/suspicious/noConsole: the report is the program's output
  console.log(text);
}

function splitPage(section: string, page: string): { before: string; text: string; after: string } {
  const [begin, end] = [`<!-- ${section}: begin -->`, `<!-- ${section}: end -->`];
  const content = readFileSync(join(ROOT, page), 'utf8');
  const [from, to] = [content.indexOf(begin), content.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`${page} has no markers for ${section}.`);
  const start = from + begin.length;
  return {
    before: content.slice(0, start),
    text: content.slice(start, to),
    after: content.slice(to),
  };
}

export function logProgress(line: string): void {
  process.stderr.write(`${line}\n`);
}
