/**
 * Compares this gateway with its peers over the same upstream: `npm run bench`, or one part of it,
 * as `npm run bench -- idle`. Each part prints its report, and writes it into
 * docs/operations/performance.md, with the targets that it meets or misses. With `--short` the
 * command only prints, to verify that the benchmark works. A part takes less than ten minutes.
 */
import { type Goal, toGoalsTable } from './comparison/goals.ts';
import { parts } from './comparison/parts.ts';
import { FULL, SHORT } from './comparison/scale.ts';
import { exitAfter } from './harness/deadline.ts';
import { logProgress, print, publish, readSection } from './harness/report.ts';
import { pinThisProcess, startUpstream } from './harness/start.ts';
import { installPeers } from './targets.ts';

const isShort = process.argv.includes('--short');
const MAX_PART_MS = 590_000;
const GOALS_SECTION = 'bench targets';

const requested = process.argv.slice(2).filter((name) => !name.startsWith('--'));
const names = requested.length > 0 ? requested : Object.keys(parts);
const unknown = names.filter((name) => !Object.hasOwn(parts, name));
if (unknown.length > 0)
  throw new Error(`There is no part ${unknown[0]}, only ${Object.keys(parts).join(', ')}.`);

exitAfter(MAX_PART_MS * names.length);
installPeers();
pinThisProcess();
await using upstream = await startUpstream();

const goals = new Map<string, readonly Goal[]>();
for (const name of names) {
  logProgress(`measuring ${name}`);
  const report = await parts[name]?.(upstream, isShort ? SHORT : FULL);
  if (!report) continue;
  goals.set(name, report.goals);
  if (isShort) print(report.text);
  else publish(`bench ${name}`, report.text);
}
if (isShort) print(toGoalsTable(goals, ''));
else publish(GOALS_SECTION, toGoalsTable(goals, readSection(GOALS_SECTION)));
