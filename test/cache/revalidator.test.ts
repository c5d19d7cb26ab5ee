import { expect, test } from 'vitest';
import type { RequestCoalescer } from '#cache/request-coalescer.ts';
import { createRevalidator } from '#cache/revalidator.ts';
import type { CancellationSignal } from '#cancellation.ts';
import { createManualTimers } from '../rest/real-server.ts';
import { untilIdle } from '../support/timed-gateway.ts';
import { createBudget, createUpstreamContext } from '../support/upstream-context.ts';

test.each(['a response', 'a failure', 'the deadline'])(
  'a revalidation that ends with %s releases its bytes and its timer',
  async (end) => {
    const timers = createManualTimers();
    const { promise: response, resolve, reject } = Promise.withResolvers<never>();
    const signals: CancellationSignal[] = [];
    const coalescer = {
      isInFlight: () => false,
      start: () => ({
        join: (signal: CancellationSignal) =>
          Promise.race([
            response,
            new Promise<never>((_, leave) => signal.addEventListener('abort', leave)),
          ]),
      }),
    } as unknown as RequestCoalescer;
    const budget = createBudget({
      openBackground(signal) {
        signals.push(signal);
        return createBudget();
      },
    });
    const { revalidate } = createRevalidator({
      coalescer,
      maxRevalidations: 1,
      monotonicNow: () => 400,
      startTimer: timers.startTimer,
    });
    const context = createUpstreamContext({ budget, deadlineAt: () => 1_000 });
    const request = { path: '/call/x', query: '', endpoint: '/call/{id}' } as never;
    revalidate(context, request, '/call/x');
    revalidate(context, request, '/call/y');
    await untilIdle();
    expect([timers.running, signals.map(({ aborted }) => aborted)]).toEqual([[600], [false]]);

    if (end === 'a response') resolve({} as never);
    if (end === 'a failure') reject(new Error('Why.'));
    if (end === 'the deadline') timers.elapse(600);
    await untilIdle();
    // The budget releases the bytes of the request when its signal is aborted.
    expect([timers.running, signals.map(({ aborted }) => aborted)]).toEqual([[], [true]]);
    // The credential may revalidate another response again.
    revalidate(context, request, '/call/y');
    expect(signals).toHaveLength(2);
  },
);
