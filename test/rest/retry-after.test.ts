import { expect, test } from 'vitest';
import { parseRetryAfterMs } from '#rest/resilience/retry-after.ts';

const NOW = Date.parse('2024-06-01T12:00:00Z');

type Row = readonly [headers: { readonly [name: string]: string }, ms: number | undefined];

test.each<Row>([
  [{ 'retry-after': '7' }, 7_000],
  [{ 'retry-after': '0' }, 0],
  [{ 'retry-after': '1.2' }, 1_200],
  [{ 'retry-after': 'Sat, 01 Jun 2024 12:01:30 GMT' }, 90_000],
  [{ 'retry-after': 'Sat, 01 Jun 2024 11:00:00 GMT' }, 0],
  [{ 'retry-after-ms': '1500' }, 1_500],
  [{ 'retry-after-ms': '1500', 'retry-after': '60' }, 1_500],
  [{ 'retry-after-ms': 'soon', 'retry-after': '60' }, 60_000],
  [{ 'retry-after-ms': '', 'retry-after': '60' }, 60_000],
  [{ 'retry-after': 'soon' }, undefined],
  [{ 'retry-after': '-5' }, undefined],
  [{ 'retry-after': 'Infinity' }, undefined],
  [{ 'retry-after-ms': '1e999' }, undefined],
  [{}, undefined],
  // Texts that begin like a number, or that JavaScript reads as one.
  ...[
    '-0',
    '+5',
    '1e9',
    '1e21',
    '0x10',
    '5.',
    '.5',
    '5 6',
    '5, 6',
    '٥',
    'NaN',
    'null',
    '5s',
  ].flatMap((text): Row[] => [
    [{ 'retry-after': text }, undefined],
    [{ 'retry-after-ms': text, 'retry-after': '7' }, 7_000],
  ]),
  // Twelve digits are read.
  [{ 'retry-after': '999999999999' }, 999_999_999_999_000],
  [{ 'retry-after': '1000000000000' }, undefined],
  [{ 'retry-after-ms': '999999999999' }, 999_999_999_999],
  [{ 'retry-after-ms': '1000000000000' }, undefined],
  // The name of the day is not compared with the date.
  ...['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun', 'SUN'].map(
    (day): Row => [{ 'retry-after': `${day}, 01 Jun 2024 12:01:30 GMT` }, 90_000],
  ),
  ...[
    '01 Jun 2024 12:01:30 GMT',
    '2024-06-01T12:01:30Z',
    'Jun, 01 Jun 2024 12:01:30 GMT',
    'Satellite',
    'Sat, 41 Jun 2024 12:01:30 GMT',
  ].map((text): Row => [{ 'retry-after': text }, undefined]),
])('the retry delay of the headers %j is %s ms', (headers, ms) => {
  expect(parseRetryAfterMs((name) => headers[name], NOW)).toBe(ms);
});
