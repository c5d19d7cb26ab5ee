import { describe, expect, test, vi } from 'vitest';
import type { LogFields } from '#observability/log.ts';
import type { LogSettings } from '#observability/logger.ts';
import { captureLog } from '../support/captured-log.ts';

/** Operation names and request ids that a caller might send to forge log lines. */
const FORGERIES = [
  'x\n{"level":"info","msg":"forged"}',
  'x\r\n12:00:00.000 info  forged',
  'x\u2028forged',
  'x\u0085forged',
  '\u001b[2K\u001b[1Aforged',
  '"," forged":"',
  'x\u202edegrof',
  'x forged=1',
];

/** The fields of a request line. */
const KNOWN_FIELDS: LogFields = {
  method: 'POST',
  route: '/graphql',
  status: 200,
  code: 'OK',
  operation: 'Look',
  operationType: 'query',
  durationMs: 228.4,
  overheadMs: 66.8,
  upstreamRequests: 15,
  cacheHits: 3,
  coalesced: 0,
  stale: 0,
  requestId: 'a2b0',
};

describe('Log line', () => {
  test('a JSON line has level, time, message and fields', () => {
    const { log, read } = captureLog();
    log.info('Ready', { status: 200, operation: null, ratio: 1.5 });
    log.error('Trouble');
    expect(read()).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]{12}Z$/),
        msg: 'Ready',
        status: 200,
        operation: null,
        ratio: 1.5,
      },
      { level: 'error', time: expect.any(String), msg: 'Trouble' },
    ]);
  });

  test('a line has the time of its log call, although the time is formatted once a millisecond', () => {
    const { log, read } = captureLog();
    const times = [
      0, 0, 1_700_000_000_000, 1_700_000_000_001, 1_700_000_000_001, 1_700_000_000_000,
    ];
    using clock = vi.spyOn(Date, 'now');
    for (const time of times) {
      clock.mockReturnValue(time);
      log.info('Ready');
    }
    expect(read().map(({ time }) => time)).toEqual(
      times.map((time) => new Date(time).toISOString()),
    );
  });

  test('a text line has level, time, message and fields', () => {
    const { log, lines } = captureLog({ format: 'text' });
    log.info('Ready', { status: 200, operation: null, name: 'two words' });
    expect(lines).toEqual([
      expect.stringMatching(
        /^[\d:.]{12}Z info {2}Ready status=200 operation=null name="two words"\n$/,
      ),
    ]);
  });

  test.each(FORGERIES)('a log entry is one line whatever it contains: %j', (forgery) => {
    const json = captureLog();
    json.log.info(forgery, { operation: forgery });
    expect(json.lines).toHaveLength(1);
    expect(json.lines[0]!.trimEnd()).not.toMatch(/[\r\n]/);
    expect(json.read()[0]).toMatchObject({ level: 'info', msg: forgery, operation: forgery });

    const text = captureLog({ format: 'text' });
    text.log.info('request', { operation: forgery, status: 200, durationMs: 1, code: 'OK' });
    text.log.info('Ready', { operation: forgery, status: 200 });
    text.log.error(forgery);
    expect(text.lines).toHaveLength(3);
    for (const line of text.lines)
      expect(line).toMatch(/^[\d:.]{12}Z (info|error) +[^\p{C}\p{Zl}\p{Zp}]*\n$/u);
    const [request, ready] = text.lines.map((line) => line.replace(/"(?:[^"\\]|\\.)*"/g, 'QUOTED'));
    expect(request).toMatch(/ info {2}200 QUOTED {2}1 ms\n$/);
    expect(ready).toMatch(/ Ready operation=QUOTED status=200\n$/);
  });

  test.each<[string, LogFields, string]>([
    [
      'with a response',
      {},
      'POST /graphql 200 Look  228 ms (67 ms overhead)  15 upstream, 3 cached',
    ],
    [
      'with a response from memory',
      { upstreamRequests: 0, durationMs: 4.1, overheadMs: 4.1 },
      'POST /graphql 200 Look  4.1 ms  3 cached',
    ],
    [
      'for an operation without a name',
      { operation: null, coalesced: 2, stale: 1 },
      'POST /graphql 200  228 ms (67 ms overhead)  15 upstream, 3 cached, 2 coalesced, 1 stale',
    ],
    [
      'for an operation of another type',
      { operationType: 'mutation' },
      'POST /graphql 200 mutation Look  228 ms (67 ms overhead)  15 upstream, 3 cached',
    ],
    [
      'with a failure, with its ids for the search',
      { code: 'UPSTREAM_TIMEOUT', trace_id: '0af7' },
      'POST /graphql 200 Look  228 ms (67 ms overhead)  15 upstream, 3 cached  code=UPSTREAM_TIMEOUT requestId=a2b0 trace_id=0af7',
    ],
    // An operation name must not pass for a field or a code.
    [
      'with a name like a field',
      { operation: 'code=OK' },
      'POST /graphql 200 "code=OK"  228 ms (67 ms overhead)  15 upstream, 3 cached',
    ],
    [
      'with a name like a code',
      { operation: 'FORBIDDEN' },
      'POST /graphql 200 FORBIDDEN  228 ms (67 ms overhead)  15 upstream, 3 cached',
    ],
    [
      'with personal data, when it is enabled',
      { document: '{ a }', variables: 'null' },
      'POST /graphql 200 Look  228 ms (67 ms overhead)  15 upstream, 3 cached  document="{ a }" variables=null',
    ],
  ])('the text line of a request %s has the expected form', (_, fields, expected) => {
    const { log, lines } = captureLog({ format: 'text' });
    log.info('request', { ...KNOWN_FIELDS, ...fields });
    expect(lines[0]!.slice('12:00:00.000Z '.length)).toBe(`info  ${expected}\n`);
  });

  test('the text line of a rejected request has its code', () => {
    const { log, lines } = captureLog({ format: 'text' });
    log.info('request', {
      method: 'GET',
      route: 'other',
      status: 404,
      code: 'BAD_USER_INPUT',
      durationMs: 0.3,
      requestId: 'a2b0',
    });
    expect(lines[0]).toMatch(
      /Z info {2}GET other 404 {2}0\.3 ms {2}code=BAD_USER_INPUT requestId=a2b0\n$/,
    );
  });

  test.each<[level: LogSettings['level'], written: readonly string[]]>([
    ['trace', ['debug', 'info', 'error', 'error']],
    ['debug', ['debug', 'info', 'error', 'error']],
    ['info', ['info', 'error', 'error']],
    ['warn', ['error', 'error']],
    ['error', ['error', 'error']],
    ['fatal', []],
    ['silent', []],
  ])('with the level %s the entries of the levels %j are written', (level, written) => {
    const { log, read } = captureLog({ level });
    log.debug?.('of debug');
    log.info('of info');
    log.error('of error');
    log.unexpected(new Error('of error'));
    expect(read().map((line) => line.level)).toEqual(written);
  });
});

describe('Log of an unexpected error', () => {
  const error = Object.assign(
    new TypeError('Outer', { cause: Object.assign(new Error('Inner'), { body: 'SECRET' }) }),
    {
      headers: { authorization: 'SECRET' },
      path: '/call/SECRET',
    },
  );

  test('the log of an unexpected error has its stack and its cause, and no other property of it', () => {
    const { log, lines, read } = captureLog();
    log.unexpected(error);
    expect(read()[0]).toMatchObject({
      level: 'error',
      error: {
        type: 'TypeError',
        message: 'Outer',
        stack: expect.stringContaining('logger.test.ts'),
        cause: {
          type: 'Error',
          message: 'Inner',
          stack: expect.stringContaining('logger.test.ts'),
        },
      },
    });
    expect(lines.join()).not.toContain('SECRET');
  });

  test('a text log has the stack below the line of the unexpected error', () => {
    const { log, lines } = captureLog({ format: 'text' });
    log.unexpected(error);
    expect(lines[0]).toMatch(
      /^[\d:.]{12}Z error Unexpected error\n {4}TypeError: Outer\n {4}at .*\n {4}Error: Inner\n {4}at /s,
    );
    expect(
      lines[0]!
        .split('\n')
        .slice(1, -1)
        .every((line) => line.startsWith('    ')),
    ).toBe(true);
    expect(lines.join()).not.toContain('SECRET');
  });

  test('an error has at most 8,000 characters of its message and of its stack, and five causes', () => {
    const { log, read } = captureLog();
    const chain = Array.from({ length: 10 }, (_, depth) => `error ${depth}`).reduceRight<
      Error | undefined
    >((cause, message) => new Error(message, cause && { cause }), undefined);
    log.unexpected(chain);
    log.unexpected(new Error('x'.repeat(8_001)));
    const [deep, long] = read();
    const messages: unknown[] = [];
    for (let error = deep?.error; error; error = error.cause) messages.push(error.message);
    expect(messages).toEqual([0, 1, 2, 3, 4, 5].map((depth) => `error ${depth}`));
    expect([long?.error.message.length, long?.error.stack.length]).toEqual([8_000, 8_000]);
    expect(long?.error).not.toHaveProperty('cause');
  });

  test('an unexpected error of any type and size is logged', () => {
    const { log, lines } = captureLog();
    const endless: { cause?: unknown } & Error = new Error('x'.repeat(1_000_000));
    endless.cause = endless;
    log.unexpected(endless);
    log.unexpected('SECRET');
    log.unexpected(undefined);
    expect(lines).toHaveLength(3);
    expect(lines.join().length).toBeLessThan(200_000);
    expect(lines.join()).not.toContain('SECRET');
  });
});
