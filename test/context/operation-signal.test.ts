import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { OperationSignal } from '#context/operation-signal.ts';
import { createManualTimers } from '../rest/real-server.ts';

const DEADLINE_MS = 30_000;

function createScene(client = new AbortController()) {
  const timers = createManualTimers();
  const signal = new OperationSignal({
    clientSignal: client.signal,
    deadlineMs: DEADLINE_MS,
    startTimer: timers.startTimer,
  });
  const end = () => signal.end();
  const leftBehind = () => [timers.running, getEventListeners(client.signal, 'abort')];
  return { client, timers, signal, end, leftBehind };
}

describe('Signal of an operation', () => {
  test('an operation in flight has one timer and one listener, and its signal is not aborted', () => {
    const { signal, leftBehind } = createScene();
    expect(signal.aborted).toBe(false);
    expect(leftBehind()).toEqual([[DEADLINE_MS], [expect.any(Function)]]);
  });

  test('the end of an operation aborts its signal, and leaves neither timer nor listener', () => {
    const { client, signal, end, leftBehind } = createScene();
    end();
    end();
    expect([signal.aborted, client.signal.aborted]).toEqual([true, false]);
    expect(signal.reason).toEqual(new Error('The operation has ended.'));
    expect(leftBehind()).toEqual([[], []]);
  });

  test('a client that disconnects ends its operation, and leaves neither timer nor listener', () => {
    const { client, signal, leftBehind } = createScene();
    client.abort();
    expect(signal.reason).toEqual(new Error('The operation has ended.'));
    expect(leftBehind()).toEqual([[], []]);
  });

  test('the deadline aborts the signal, and the end of the operation then removes the listener', () => {
    const { timers, signal, end, leftBehind } = createScene();
    timers.elapse(DEADLINE_MS);
    expect(signal.reason).toMatchObject({ name: 'AbortError' });
    end();
    expect(leftBehind()).toEqual([[], []]);
  });

  test('the operation of a client that has already disconnected ends at once', () => {
    const client = new AbortController();
    client.abort();
    const { signal, leftBehind } = createScene(client);
    expect(signal.aborted).toBe(true);
    expect(leftBehind()).toEqual([[], []]);
  });
});
