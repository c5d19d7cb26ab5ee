import type { Bound, Fault, FaultGroup, FaultSource, Outcome } from './fault.ts';
import { type StreamFault, toStreamTable } from './stream-faults.ts';

const INTRODUCTION = `# Fault matrix

What a client gets while the upstream fails, responds slowly or responds with unexpected data.

Each row is a test. It runs the complete gateway over real sockets against an upstream with the
fault, and sends one query: a field that meets the fault, and other fields that do not.
\`npm run test:faults\` compares this page with the values that the tests assert, and
\`npm run test:faults -- --update\` writes it.

## Columns

- **the upstream**: the fault. Variants with the same result share a row.
- **field**: the result of the field that meets the fault: its *value*, null, or an error code with
  its extensions. A remark is in parentheses, with the [drift](../guides/upstream-drift.md) that the
  gateway counts.
- **other fields**: *fetched* from the upstream during the fault, or *cached* where no connection to
  the upstream is possible.
- **requests**: the upstream requests for the field, retries included (\`REVOX_RETRIES\`, 2).
- **delay**: what bounds the delay of the field. *none*: the upstream responds immediately and the
  gateway does not wait. *retry delays*: the gateway waits between its attempts. \`Retry-After\`: the
  gateway waits as long as the upstream requests. Otherwise the named timeout.
- **after the fault**: the same query succeeds. *cache cleared* means that the gateway fetches all
  fields again.

The field is cached before the fault only in the section "Stale cached field".

## Assertions in each row

- The other fields have their values.
- After the fault the same query to the same gateway returns all values.
- No timer and no request is left, and at most three connections, which are kept alive. After the
  gateway is closed, no socket is left.
- The gateway counts the stated drift, and no other.
- No unhandled rejection occurs, and the log has no unexpected error. The error does not contain the
  upstream's address, body or key.
- If a response is large, the process uses at most 100 MiB more than before.
`;

/** The page of the documentation, made of the expectations that the tests assert. */
export function toTable(
  groups: readonly FaultGroup[],
  streamFaults: readonly StreamFault[],
): string {
  return [INTRODUCTION, ...groups.map(toSection), toStreamTable(streamFaults)].join('\n');
}

function toSection({ title, faults }: FaultGroup): string {
  const rows = faults.map((fault) => [
    describeFault(fault),
    describeOutcome(fault),
    fault.variants.some(({ wrong }) => affectsOnlyField(wrong)) ? 'fetched' : 'cached',
    String(fault.requests),
    formatBound(fault.bound),
    fault.dropsCache ? 'cache cleared' : 'value',
  ]);
  const header = ['the upstream', 'field', 'other fields', 'requests', 'delay', 'after the fault'];
  return [`## ${title}\n`, ...[header, header.map(() => '---'), ...rows].map(toLine), ''].join(
    '\n',
  );
}

function describeFault({ name, variants }: Fault): string {
  return [name, variants.map((variant) => variant.name).join(', ')].join(' ').trim();
}

function describeOutcome({ outcome, remark, drift = [] }: Fault): string {
  const counted =
    drift.length > 0 ? `drift: ${drift.map((kind) => `\`${kind}\``).join(', ')}` : undefined;
  const remarks = [remark, counted].filter((text) => text !== undefined);
  return [formatOutcome(outcome), ...(remarks.length > 0 ? [`(${remarks.join('; ')})`] : [])].join(
    ' ',
  );
}

function formatOutcome(outcome: Outcome): string {
  if (typeof outcome === 'string') return outcome;
  const { code, ...extensions } = outcome;
  const formatted = Object.entries(extensions).map(([key, value]) =>
    value === 'as sent' ? `the upstream’s \`${key}\`` : `\`${key}: ${value}\``,
  );
  return [`\`${code}\``, ...formatted].join(', ');
}

function formatBound(bound: Bound): string {
  return bound.endsWith('_MS') ? `\`${bound}\`` : bound;
}

function affectsOnlyField(wrong: FaultSource): boolean {
  return 'answer' in wrong || 'leadTo' in wrong;
}

function toLine(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
