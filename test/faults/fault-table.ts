import type { Bound, Fault, FaultGroup, FaultSource, Outcome } from './fault.ts';

const INTRODUCTION = `# When the upstream goes wrong

Each row is a test (\`npm run test:faults\`): the whole gateway over real sockets to an upstream that does what the first column says; a query with one
field that meets it and others that do not. **This page is made by that test**, of the very values it compares, and a page that is not up to date
fails it.

Asserted in each row, besides what its columns say:

- the fields beside it have all their values: they are asked for and answered while the fault lasts, or, where no connection can be had at
  all, they come from what is remembered;
- once the fault is over, the same query over the same gateway gets everything;
- nothing is left of it: no timer, no socket beyond those that are kept for the next request, none at all when the gateway has been closed;
- what was not as documented is counted as it says, and nothing else is;
- nothing was an unhandled rejection, or a bug in the log; nothing in the error tells the upstream's address, words or key;
- where an answer is large, what the process holds stays within 100 MiB of what it held before.

Requests are those for the field that meets the fault, retries included (\`REVOX_RETRIES\`, 2). A setting under *within* is what bounds the time;
else there is nothing to wait for but a moment between tries, or what the upstream itself asks to wait. But where a heading says so, nothing is
remembered of the field.
`;

/** The page of the docs: what is promised of each fault. */
export function toTable(groups: readonly FaultGroup[]): string {
  return [INTRODUCTION, ...groups.map(toSection)].join('\n');
}

function toSection({ title, faults }: FaultGroup): string {
  const rows = faults.map((fault) => [
    describeFault(fault),
    describeOutcome(fault),
    fault.variants.some(({ wrong }) => affectsOnlyField(wrong)) ? 'answered' : 'from memory',
    String(fault.requests),
    toDuration(fault.bound),
    fault.dropsCache ? 'all is asked for again' : 'answers',
  ]);
  const header = [
    'the upstream',
    'the field',
    'fields beside it',
    'requests',
    'within',
    'afterwards',
  ];
  return [`## ${title}\n`, ...[header, header.map(() => '---'), ...rows].map(toLine), ''].join(
    '\n',
  );
}

function describeFault({ name, variants }: Fault): string {
  return [name, variants.map((variant) => variant.name).join(', ')].join(' ').trim();
}

function describeOutcome({ outcome, remark, drift = [] }: Fault): string {
  const counted =
    drift.length > 0 ? `counted: ${drift.map((what) => `\`${what}\``).join(', ')}` : undefined;
  const remarks = [remark, counted].filter((text) => text !== undefined);
  return [formatSays(outcome), ...(remarks.length > 0 ? [`(${remarks.join('; ')})`] : [])].join(
    ' ',
  );
}

function formatSays(says: Outcome): string {
  if (typeof says === 'string') return says;
  const { code, ...details } = says;
  const told = Object.entries(details).map(([key, value]) =>
    value === 'its own' ? `its \`${key}\`` : `\`${key}: ${value}\``,
  );
  return [`\`${code}\``, ...told].join(', ');
}

function toDuration(within: Bound): string {
  return within.endsWith('_MS') ? `\`${within}\`` : within;
}

function affectsOnlyField(wrong: FaultSource): boolean {
  return 'answer' in wrong || 'leadTo' in wrong;
}

function toLine(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
