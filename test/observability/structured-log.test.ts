import { describe, expect, test } from 'vitest';
import { keepLog } from '../kit/log-lines.ts';

/** What somebody may call his operation, or send for an id, to write into a log. */
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

describe('A line', () => {
  test('of JSON has level, time, message and fields', () => {
    const { log, read } = keepLog();
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

  test('of text has the same', () => {
    const { log, lines } = keepLog({ format: 'text' });
    log.info('Ready', { status: 200, operation: null, name: 'two words' });
    expect(lines).toEqual([expect.stringMatching(/^[\d:.]{12} info {2}Ready status=200 operation=null name="two words"\n$/)]);
  });

  test.each(FORGERIES)('is one line, whatever stands in it: %j', (forgery) => {
    const json = keepLog();
    json.log.info(forgery, { operation: forgery });
    expect(json.lines).toHaveLength(1);
    expect(json.lines[0]!.trimEnd()).not.toMatch(/[\r\n]/);
    expect(json.read()[0]).toMatchObject({ level: 'info', msg: forgery, operation: forgery });

    const text = keepLog({ format: 'text' });
    text.log.info('request', { operation: forgery, status: 200 });
    text.log.error(forgery);
    expect(text.lines).toHaveLength(2);
    for (const line of text.lines) expect(line).toMatch(/^[\d:.]{12} (info|error) +[^\p{C}\p{Zl}\p{Zp}]*\n$/u);
    expect(text.lines[0]!.replace(/"(?:[^"\\]|\\.)*"/g, 'QUOTED')).toMatch(/ request operation=QUOTED status=200\n$/);
  });

  test('is left out below the level', () => {
    const { log, lines } = keepLog({ level: 'error' });
    log.debug?.('no');
    log.info('no');
    log.error('yes');
    log.bug(new Error('yes'));
    expect(lines).toHaveLength(2);
    const silent = keepLog({ level: 'silent' });
    silent.log.bug(new Error('no'));
    expect(silent.lines).toEqual([]);
  });
});

describe('A bug', () => {
  const error = Object.assign(new TypeError('Outer', { cause: Object.assign(new Error('Inner'), { body: 'SECRET' }) }), {
    headers: { authorization: 'SECRET' },
    path: '/call/SECRET',
  });

  test('is told with its stack and what caused it, and nothing else that hangs on it', () => {
    const { log, lines, read } = keepLog();
    log.bug(error);
    expect(read()[0]).toMatchObject({
      level: 'error',
      error: {
        type: 'TypeError',
        message: 'Outer',
        stack: expect.stringContaining('structured-log.test.ts'),
        cause: { type: 'Error', message: 'Inner', stack: expect.stringContaining('structured-log.test.ts') },
      },
    });
    expect(lines.join()).not.toContain('SECRET');
  });

  test('has its stack below it for people', () => {
    const { log, lines } = keepLog({ format: 'text' });
    log.bug(error);
    expect(lines[0]).toMatch(
      /^[\d:.]{12} error A fault that nobody foresaw\.\n {4}TypeError: Outer\n {4}at .*\n {4}Error: Inner\n {4}at /s,
    );
    expect(
      lines[0]!
        .split('\n')
        .slice(1, -1)
        .every((line) => line.startsWith('    ')),
    ).toBe(true);
    expect(lines.join()).not.toContain('SECRET');
  });

  test('is told whatever it is, and however much of it there is', () => {
    const { log, lines } = keepLog();
    const endless: { cause?: unknown } & Error = new Error('x'.repeat(1_000_000));
    endless.cause = endless;
    log.bug(endless);
    log.bug('SECRET');
    log.bug(undefined);
    expect(lines).toHaveLength(3);
    expect(lines.join().length).toBeLessThan(200_000);
    expect(lines.join()).not.toContain('SECRET');
  });
});
