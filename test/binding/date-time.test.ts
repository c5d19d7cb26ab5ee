import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toDateTime } from '#rest/date-time.ts';

describe('RFC 3339 timestamps', () => {
  test.each([
    '2024-06-01T12:00:00Z',
    '2024-06-01T12:00:00.123456789Z',
    '2024-06-01T14:00:00+02:00',
    '2024-06-01T14:00:00.5-11:30',
    '2024-06-01t12:00:00z',
    '2024-02-29T00:00:00Z',
    '2016-12-31T23:59:60Z',
    '0000-01-01T00:00:00Z',
    '9999-12-31T23:59:59Z',
  ])('the RFC 3339 timestamp %s is unchanged', (text) => {
    expect(toDateTime(text)).toBe(text);
  });

  test('every RFC 3339 timestamp is unchanged', () => {
    const rfc3339 = fc
      .tuple(
        fc.date({
          min: new Date('0000-01-01T00:00:00Z'),
          max: new Date('9999-12-31T23:59:59Z'),
          noInvalidDate: true,
        }),
        fc.option(fc.stringMatching(/^\d{1,12}$/)),
        fc.constantFrom('Z', 'z', '+00:00', '-00:00', '+05:45', '-12:00', '+23:59'),
        fc.constantFrom('T', 't'),
      )
      .map(([date, fraction, zone, separator]) => {
        const [day, time] = date.toISOString().slice(0, 19).split('T');
        return `${day}${separator}${time}${fraction === null ? '' : `.${fraction}`}${zone}`;
      });
    fc.assert(
      fc.property(rfc3339, (text) => {
        expect(toDateTime(text)).toBe(text);
      }),
    );
  });
});

describe('Other timestamp text', () => {
  test.each([
    ['2024-06-01T12:00:00', '2024-06-01T12:00:00.000Z', 'no zone is UTC'],
    ['2024-06-01 12:00:00', '2024-06-01T12:00:00.000Z', 'the format of databases'],
    ['2024-06-01 12:00:00.123456', '2024-06-01T12:00:00.123Z', 'finer than milliseconds'],
    ['2024-06-01 14:00:00+02', '2024-06-01T12:00:00.000Z', 'a zone without minutes'],
    ['2024-06-01 14:00:00 +0200', '2024-06-01T12:00:00.000Z', 'a zone without a colon'],
    ['2024-06-01T12:00:00,5Z', '2024-06-01T12:00:00.500Z', 'a comma'],
    ['2024-06-01T12:00Z', '2024-06-01T12:00:00.000Z', 'no seconds'],
    ['2024-06-01', '2024-06-01T00:00:00.000Z', 'a day'],
    ['20240601T120000Z', '2024-06-01T12:00:00.000Z', 'the basic form'],
    ['20240601', '2024-06-01T00:00:00.000Z', 'a day of the basic form, not a number of seconds'],
    ['2024-06-01T24:00:00', '2024-06-02T00:00:00.000Z', 'the end of a day'],
    [' 2024-06-01T12:00:00Z ', '2024-06-01T12:00:00.000Z', 'blanks around'],
    ['1717243200', '2024-06-01T12:00:00.000Z', 'seconds as text'],
    ['1717243200000', '2024-06-01T12:00:00.000Z', 'milliseconds as text'],
    ['1717243200.25', '2024-06-01T12:00:00.250Z', 'seconds with a fraction as text'],
  ])('the timestamp text %s becomes %s (%s)', (text, expected) => {
    expect(toDateTime(text)).toBe(expected);
  });

  test('timestamp text without a zone is UTC, independent of the time zone of the process', () => {
    const years = {
      min: new Date('0001-01-01T00:00:00Z'),
      max: new Date('9999-12-31T00:00:00Z'),
      noInvalidDate: true,
    };
    fc.assert(
      fc.property(fc.date(years), fc.constantFrom('T', ' '), (date, separator) => {
        const text = date.toISOString().slice(0, 23).replace('T', separator);
        expect(toDateTime(text)).toBe(date.toISOString());
      }),
    );
  });
});

describe('Numeric timestamps', () => {
  test.each([
    [0, '1970-01-01T00:00:00.000Z'],
    [1_717_243_200, '2024-06-01T12:00:00.000Z'],
    [1_717_243_200.25, '2024-06-01T12:00:00.250Z'],
    [1_717_243_200_123, '2024-06-01T12:00:00.123Z'],
    [99_999_999_999, '5138-11-16T09:46:39.000Z'],
    [100_000_000_000, '1973-03-03T09:46:40.000Z'],
    [-1, '1969-12-31T23:59:59.000Z'],
    [-62_167_219_200, '0000-01-01T00:00:00.000Z'],
    [-100_000_000_000, '1966-10-31T14:13:20.000Z'],
    [253_402_300_799_999, '9999-12-31T23:59:59.999Z'],
  ])('the numeric timestamp %d becomes %s', (number, expected) => {
    expect(toDateTime(number)).toBe(expected);
  });

  test('a numeric timestamp below 10¹¹ is in seconds, any other in milliseconds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e11 - 1 }), (seconds) => {
        expect(Date.parse(toDateTime(seconds) ?? '')).toBe(seconds * 1000);
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1e11, max: 253_402_300_799_999 }), (milliseconds) => {
        expect(Date.parse(toDateTime(milliseconds) ?? '')).toBe(milliseconds);
      }),
    );
  });
});

describe('Invalid timestamps', () => {
  test.each([
    [{}],
    [[]],
    [['2024-06-01T12:00:00Z']],
    [{ seconds: 1 }],
    [null],
    [undefined],
    [true],
    [''],
    [' '],
    ['soon'],
    ['12:00'],
    ['1717'],
    ['-'],
    ['2024'],
    ['2024-06'],
    ['2024-13-01T00:00:00Z'],
    ['2024-00-01'],
    ['2024-02-30T00:00:00Z'],
    ['2023-02-29'],
    ['2024-06-01T25:00:00Z'],
    ['2024-06-01T12:60:00Z'],
    ['2024-06-01T12:00:00+24:00'],
    ['2024-06-01T12:00:00Z\n2024-06-01T12:00:00Z'],
    ['Sat, 01 Jun 2024 12:00:00 GMT'],
    ['06/01/2024'],
    ['+012024-06-01T12:00:00Z'],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [253_402_300_800_000],
    [1e300],
  ])('the invalid timestamp %j is null', (raw) => {
    expect(toDateTime(raw)).toBeNull();
  });

  test('every value becomes RFC 3339 text or null, without an exception', () => {
    const anything = fc.oneof(
      fc.anything({ withBigInt: true, withDate: true }),
      fc.string(),
      fc.double(),
      fc.stringMatching(/^[\d:TZ+. -]{0,30}$/),
    );
    fc.assert(
      fc.property(anything, (raw) => {
        const read = toDateTime(raw);
        if (read !== null)
          expect(read).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i);
      }),
      { numRuns: 2000 },
    );
  });
});
