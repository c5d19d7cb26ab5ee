import { expect, test } from 'vitest';
import { KEY_A } from '../support/test-gateway.ts';
import { createTimedGateway } from '../support/timed-gateway.ts';

const POLL_MS = 130;
const ENDED_STATUSES = ['completed', 'cancelled', 'errored'];
const LIVE_MS = 1_000;

test('a polled live call is at most one second old, costs about one request per second, and is cached after it has ended', async () => {
  const { execute, sandbox, clock, traffic } = createTimedGateway({ sandbox: { live: true } });
  // The sandbox advances its data with each request.
  clock.pass(20_500);
  await execute('{ callAttempts(first: 1) { nodes { id } } }');
  // The newest call.
  const { id } = sandbox.control.data(KEY_A).calls.at(-1)!;
  const find = () => sandbox.control.data(KEY_A).calls.find((call) => call.id === id)!;
  const query =
    'query ($id: ID!) { call(id: $id) { status callsCount lastCallAttempt { status } } }';
  const snapshot = () => {
    const { status, calls_count, last_call_attempt } = find();
    return [status, calls_count, last_call_attempt?.status].join(' ').toUpperCase();
  };

  /** The states of the call, each with the time at which it began. */
  const truths: { readonly at: number; readonly is: string }[] = [];
  const shown = new Set<string>();
  let polls = 0;
  let requests = 0;
  traffic();
  for (; !ENDED_STATUSES.includes(find().status) || polls === 0; polls += 1) {
    clock.pass(POLL_MS);
    await sandbox.fetch(
      new Request('http://revox.test/api/assistants', {
        headers: { authorization: `Bearer ${KEY_A}` },
      }),
    );
    if (truths.at(-1)?.is !== snapshot()) truths.push({ at: clock.now(), is: snapshot() });
    const { data } = await execute(query, { id });
    const served = [data.call.status, data.call.callsCount, data.call.lastCallAttempt?.status].join(
      ' ',
    );
    shown.add(served);
    const wasTrue = truths.some(({ at, is }, index) => {
      const until = truths[index + 1]?.at ?? Number.POSITIVE_INFINITY;
      return is === served && at <= clock.now() && until > clock.now() - LIVE_MS;
    });
    expect(wasTrue, `${served} at ${clock.now()}, of ${JSON.stringify(truths)}`).toBe(true);
    requests += traffic().length;
    expect(polls).toBeLessThan(10_000);
  }
  // The call changed its state several times, and was requested about once a second.
  expect(truths.length).toBeGreaterThan(2);
  expect(shown.size).toBeGreaterThan(2);
  expect(requests).toBeGreaterThan(5);
  expect(requests).toBeLessThanOrEqual(Math.ceil((polls * POLL_MS) / LIVE_MS) + 1);

  // The gateway sees the end one second later. For five minutes after the end, the call is fresh
  // for five seconds; after that, for ten minutes.
  clock.pass(LIVE_MS);
  await execute(query, { id });
  clock.pass(301_000);
  await execute(query, { id });
  clock.pass(16_000);
  await execute(query, { id });
  traffic();
  clock.pass(580_000);
  expect((await execute(query, { id })).data.call.status).toBe(find().status.toUpperCase());
  expect(traffic()).toEqual([]);
});
