import type { SandboxControl } from '#sandbox/control.ts';

/** A fault of the polls of a subscription: one row of the table. */
export interface StreamFault {
  /** A verb phrase whose subject is the upstream. */
  readonly name: string;
  start(control: SandboxControl): void;
  /** The code of an event that shows the fault. Undefined: the fault only delays events. */
  readonly code: string | undefined;
  /** Whether the stream ends with the fault: a later poll cannot succeed. */
  readonly isEnd?: boolean;
}

const POLL = /\/call\//;

export const streamFaults: readonly StreamFault[] = [
  {
    name: 'fails: 500, 503',
    start(control) {
      control.fail(POLL, { status: 500, times: 1 });
      control.fail(POLL, { status: 503 });
    },
    code: 'UPSTREAM_UNAVAILABLE',
  },
  {
    name: 'limits the rate: 429',
    start: (control) => control.fail(POLL, { status: 429, headers: { 'retry-after': '5' } }),
    code: 'RATE_LIMITED',
  },
  {
    name: 'never responds',
    start: (control) => control.hang(POLL),
    code: 'UPSTREAM_TIMEOUT',
  },
  {
    name: 'resets the connection',
    start: (control) => control.reset(POLL),
    code: 'UPSTREAM_UNAVAILABLE',
  },
  {
    name: 'sends half of the body',
    start: (control) => control.truncate(POLL),
    code: 'UPSTREAM_INVALID_RESPONSE',
  },
  {
    name: 'sends a web page',
    start: (control) => control.corrupt(POLL, '<html></html>', { contentType: 'text/html' }),
    code: 'UPSTREAM_INVALID_RESPONSE',
  },
  {
    name: 'sends JSON without a call',
    start: (control) => control.corrupt(POLL, '{"call":null}'),
    code: 'UPSTREAM_INVALID_RESPONSE',
  },
  {
    name: 'rejects the key: 401',
    start: (control) => control.fail(POLL, { status: 401 }),
    code: 'UNAUTHENTICATED',
    isEnd: true,
  },
  {
    name: 'denies access to the call: 403',
    start: (control) => control.fail(POLL, { status: 403 }),
    code: 'FORBIDDEN',
    isEnd: true,
  },
];

const SECTION = `## Subscriptions

A subscription to one call meets the fault at its first reading, or at a later one. Each row is a test
with one stream over SSE and one over multipart, on a clock that the test owns. A fault that mends
within 30 s is not shown, and no poll is retried: the next poll is the retry.

- **first reading**: the event after \`REQUEST_DEADLINE_MS\`. The stream goes on.
- **20 s**, **40 s**: what the streams send if the fault lasts that long. *stale*: one event that
  repeats the data, with \`extensions.live.stale\` and this code.
- **\`LIVE_GIVE_UP_MS\`**: the error at the end of the streams.
- **after the fault**: the event of the next reading, after a fault of 40 s.
`;

/** The section of the page, made of the expectations that the tests assert. */
export function toStreamTable(faults: readonly StreamFault[]): string {
  const header = [
    'the upstream',
    'first reading',
    '20 s',
    '40 s',
    '`LIVE_GIVE_UP_MS`',
    'after the fault',
  ];
  const rows = faults.map(({ name, code, isEnd }) => {
    const end = `\`${code}\`, the end`;
    return isEnd
      ? [name, end, end, '–', '–', '–']
      : [
          name,
          `\`${code}\``,
          'nothing',
          `stale, \`${code}\``,
          '`UPSTREAM_UNAVAILABLE`',
          'value, `stale: false`',
        ];
  });
  const lines = [header, header.map(() => '---'), ...rows].map(
    (cells) => `| ${cells.join(' | ')} |`,
  );
  return `${SECTION}\n${lines.join('\n')}\n`;
}
