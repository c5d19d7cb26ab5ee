import { describe, expect, test, vi } from 'vitest';
import { createFetchTransport } from '#rest/transport/transport.ts';
import type { UpstreamEvents } from '#rest/upstream-events.ts';
import { createUpstreamContext } from '../support/upstream-context.ts';
import { createScene, found, status, upstreamRequest } from './client-scene.ts';

describe('Upstream events', () => {
  function createListener() {
    const reported: unknown[] = [];
    const events: UpstreamEvents = {
      onSend: ({ endpoint, retryCount, trace }) => {
        reported.push(['sent', endpoint, retryCount, trace]);
        return {
          headers: { traceparent: `00-${retryCount}` },
          onEnd: ({ status: code, failure, ms }) => reported.push(['ended', code, failure, ms]),
        };
      },
      onRetry: (endpoint, reason) => reported.push(['retried', endpoint, reason]),
      onQueueWait: (waitedMs) => reported.push(['queued for', waitedMs]),
      onRateLimited: (ms) => reported.push(['rate-limited for', ms]),
      onCooldownReceived: () => reported.push(['cooldown received']),
      onQueueFull: () => reported.push(['queue full']),
      onCircuitChange: (change) => reported.push([change]),
    };
    return { reported, events };
  }

  test('the observer is notified of every upstream request, of its outcome and of the reason for each retry', async () => {
    const { reported, events } = createListener();
    const { send, pass, clock } = createScene(
      [
        () => {
          clock.now += 12;
          return status(502)() as Response;
        },
        status(429, { 'retry-after': '2' }),
        found,
      ],
      { events },
    );
    const pending = send('/call/secret-id', { trace: 'of the operation' });
    await pass(250);
    await pass(2_000);
    await pending;
    expect(reported).toEqual([
      ['queued for', 0],
      ['sent', '/call/{id}', 0, 'of the operation'],
      ['ended', 502, 'server-error', 12],
      ['retried', '/call/{id}', 'server-error'],
      ['queued for', 0],
      ['sent', '/call/{id}', 1, 'of the operation'],
      ['ended', 429, 'rate-limited', 0],
      ['rate-limited for', 2_000],
      ['retried', '/call/{id}', 'rate-limited'],
      ['queued for', 2_000],
      ['sent', '/call/{id}', 2, 'of the operation'],
      ['ended', 200, undefined, 0],
    ]);
    expect(JSON.stringify(reported)).not.toContain('secret-id');
  });

  test('the observer is notified of a response that the parser rejects, and adds headers to the request', async () => {
    const { reported, events } = createListener();
    const received = vi.fn();
    const { client } = createScene([], {
      events,
      transport: createFetchTransport(async ({ headers }) => {
        received(headers.get('traceparent'));
        return Response.json({});
      }),
    });
    const pending = client.send(createUpstreamContext(), {
      ...upstreamRequest('/call/c'),
      parse() {
        throw new Error('a bug of ours');
      },
    });
    await expect(pending).rejects.toThrow('a bug of ours');
    expect(received).toHaveBeenCalledExactlyOnceWith('00-0');
    expect(reported.at(-1)).toEqual(['ended', null, 'invalid', 0]);
    expect(client.state).toMatchObject({ queued: 0, inFlight: 0, coolingDown: 0 });
  });
});
