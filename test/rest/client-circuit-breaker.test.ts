import { describe, expect, test } from 'vitest';
import { Credential } from '#rest/credential.ts';
import { createBudget, createUpstreamContext } from '../support/upstream-context.ts';
import {
  connectionLost,
  connectionRefused,
  createScene,
  found,
  outcomeOf,
  status,
  type UpstreamAct,
  upstreamRequest,
} from './client-scene.ts';

describe('Circuit breaker of the client', () => {
  const NONE = { retries: 0, breaker: { failures: 4, openMs: 1_000 } };

  test('the client stops sending to a failing upstream, sends one probe, and resumes when the probe gets a response', async () => {
    const acts: UpstreamAct[] = [
      connectionRefused,
      connectionRefused,
      connectionRefused,
      connectionRefused,
      status(500),
      found,
    ];
    const { send, sent, pass, client } = createScene(acts, NONE);
    for (let n = 0; n < 10; n += 1) expect(await outcomeOf(send())).toBe('UPSTREAM_UNAVAILABLE');
    expect(sent).toHaveLength(4);
    expect(client.state.circuits.connection.state).toBe('open');
    await pass(1_000);
    expect(client.state.circuits.connection.state).toBe('half-open');
    // Any response shows that the upstream can be reached.
    expect(await outcomeOf(send())).toBe('UPSTREAM_UNAVAILABLE');
    expect(client.state.circuits.connection.state).toBe('closed');
    expect(await outcomeOf(send())).toBe('succeeded');
    expect(sent).toHaveLength(6);
  });

  test('requests that wait for a concurrency slot are not sent once the circuit breaker opens', async () => {
    const { send, sent } = createScene([connectionRefused], { ...NONE, maxConcurrency: 1 });
    const pending = Array.from({ length: 20 }, () => send());
    expect(new Set(await Promise.all(pending.map(outcomeOf)))).toEqual(
      new Set(['UPSTREAM_UNAVAILABLE']),
    );
    expect(sent).toHaveLength(4);
  });

  test('a request that the circuit breaker blocks does not count towards the budget of its operation', async () => {
    const budget = createBudget();
    const { send, sent } = createScene([connectionLost], NONE);
    for (let n = 0; n < 10; n += 1) await outcomeOf(send('/call/c', { budget }));
    expect([sent.length, budget.sentRequests]).toEqual([4, 4]);
  });

  test('a circuit breaker that is open for one credential does not block another credential', async () => {
    const { client, sent } = createScene(
      [status(500), status(500), status(500), status(500), found],
      NONE,
    );
    const [failing, fine] = [new Credential('sk_failing'), new Credential('sk_fine')];
    const send = (credential: Credential) =>
      outcomeOf(client.send(createUpstreamContext({ credential }), upstreamRequest('/call/c')));
    for (let n = 0; n < 6; n += 1) expect(await send(failing)).toBe('UPSTREAM_UNAVAILABLE');
    expect(await send(fine)).toBe('succeeded');
    expect(sent).toHaveLength(5);
    expect(client.state.circuits).toEqual({
      connection: { state: 'closed', openCount: 0 },
      endpoint: { state: 'open', openCount: 1 },
    });
  });
});
