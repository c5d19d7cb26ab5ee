import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { Cancellation, type CancellationSignal } from '#cancellation.ts';

interface Subject {
  readonly signal: CancellationSignal;
  abort(reason?: unknown): void;
}

function createAbortController(): Subject {
  const controller = new AbortController();
  return { signal: controller.signal, abort: (reason) => controller.abort(reason) };
}

function createCancellation(): Subject {
  const cancellation = new Cancellation();
  return { signal: cancellation, abort: (reason) => cancellation.abort(reason) };
}

describe.each([
  ['AbortController', createAbortController],
  ['Cancellation', createCancellation],
])('%s', (_name, create) => {
  test('a signal has no reason and throws nothing before the abort', () => {
    const { signal } = create();
    expect([signal.aborted, signal.reason]).toEqual([false, undefined]);
    signal.throwIfAborted();
  });

  test('the first abort sets the reason, and a second abort changes nothing', () => {
    const { signal, abort } = create();
    let calls = 0;
    signal.addEventListener('abort', () => {
      calls += 1;
    });
    const reason = new Error('gone');
    abort(reason);
    abort(new Error('again'));
    expect([signal.aborted, signal.reason, calls]).toEqual([true, reason, 1]);
    expect(() => signal.throwIfAborted()).toThrow(reason);
  });

  test('an abort without a reason has an AbortError', () => {
    const { signal, abort } = create();
    abort();
    expect(signal.reason).toBeInstanceOf(DOMException);
    expect(signal.reason).toMatchObject({
      name: 'AbortError',
      message: 'This operation was aborted',
    });
  });

  test('the listeners are called in their order, and each function once', () => {
    const { signal, abort } = create();
    const called: string[] = [];
    const first = () => called.push(`first ${signal.aborted}`);
    signal.addEventListener('abort', first);
    signal.addEventListener('abort', () => called.push('second'));
    signal.addEventListener('abort', first, { once: true });
    abort();
    expect(called).toEqual(['first true', 'second']);
  });

  test('a removed listener is not called, even if an earlier listener removes it', () => {
    const { signal, abort } = create();
    const called: string[] = [];
    const removed = () => called.push('removed');
    const removedLater = () => called.push('removed later');
    signal.addEventListener('abort', removed);
    signal.removeEventListener('abort', removed);
    signal.addEventListener('abort', () => signal.removeEventListener('abort', removedLater));
    signal.addEventListener('abort', removedLater);
    abort();
    expect(called).toEqual([]);
  });

  test('a listener that is added during or after the abort is not called', () => {
    const { signal, abort } = create();
    const called: string[] = [];
    const late = () => called.push('late');
    signal.addEventListener('abort', () => signal.addEventListener('abort', late));
    abort();
    signal.addEventListener('abort', late);
    expect(called).toEqual([]);
  });
});

test('an error of a listener stops no other listener, and becomes an uncaught exception', async () => {
  const cancellation = new Cancellation();
  const error = new Error('a bug');
  const called: string[] = [];
  cancellation.addEventListener('abort', () => {
    throw error;
  });
  cancellation.addEventListener('abort', () => called.push('second'));
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  try {
    const uncaught = once(process, 'uncaughtException');
    cancellation.abort();
    expect(called).toEqual(['second']);
    expect((await uncaught)[0]).toBe(error);
  } finally {
    process.removeAllListeners('uncaughtException');
    for (const listener of listeners) process.on('uncaughtException', listener);
  }
});
