import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';

/** Starts a process that logs numbered lines, and ends. */
function startLogging(end: string, lines: number) {
  const script = ['test/sockets/processes/log-lines.ts', end, String(lines)];
  return spawn(process.execPath, script, { stdio: ['ignore', 'pipe', 'pipe'] });
}

function toNumbers(output: string): number[] {
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line).number as number);
}

const range = (length: number) => Array.from({ length }, (_, number) => number);

describe('Log on the standard output', () => {
  test.each([
    { end: 'return', code: 0 },
    { end: 'exit', code: 3 },
    { end: 'uncaught exception', code: 1 },
    { end: 'SIGTERM', code: 4 },
  ])('no line is lost when the process ends by: $end', async ({ end, code }) => {
    // The last batch is not complete, and the first ones may still be in the thread pool.
    const child = startLogging(end, 180);
    const [output, [exitCode]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    expect(exitCode).toBe(code);
    expect(toNumbers(output).sort((a, b) => a - b)).toEqual(range(180));
  });

  test('the process does not wait for a reader that is behind, and no line is lost or out of order', async () => {
    // 2 MB: a pipe holds 64 kB.
    const child = startLogging('return', 8_000);
    // Nothing reads the output before all lines are logged.
    await once(child.stderr, 'data');
    const [output, [exitCode]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    expect(exitCode).toBe(0);
    expect(toNumbers(output)).toEqual(range(8_000));
  });

  test('lines over the limit of 16 MiB are lost while nothing reads the output, and the first ones are kept', async () => {
    const child = startLogging('return', 120_000);
    await once(child.stderr, 'data');
    const [output, [exitCode]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    expect(exitCode).toBe(0);
    expect(output.length).toBeLessThanOrEqual(16 * 2 ** 20);
    expect(output.length).toBeGreaterThan(15 * 2 ** 20);
    const numbers = toNumbers(output);
    expect(numbers).toEqual(range(numbers.length));
  });
});
