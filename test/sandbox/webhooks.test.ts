import { describe, expect, test } from 'vitest';
import { createSandbox } from '#sandbox/sandbox.ts';
import type { WebhookOptions } from '#sandbox/webhooks.ts';
import { createClock } from '../support/clock.ts';
import { KEY_A } from '../support/test-gateway.ts';
import { createTimers } from '../support/timers.ts';

const URL = 'http://hooks.test/revox';
const TIMES = { queueMs: 1_000, ringMs: 2_000, talkMs: 30_000 };
const END_MS = 33_000;

interface SentWebhook {
  readonly url: string;
  readonly body: Record<string, unknown>;
}

/** A sandbox that records what it sends. */
function createSender(webhooks: WebhookOptions = {}, options: { live?: boolean } = {}) {
  const clock = createClock();
  const timers = createTimers(clock);
  const sent: SentWebhook[] = [];
  const sandbox = createSandbox({
    ...options,
    now: clock.now,
    startTimer: (run, ms) => timers.startTimer(ms, run),
    webhooks: {
      fetch: async (request) => {
        sent.push({ url: request.url, body: (await request.json()) as Record<string, unknown> });
        return new Response(null, { status: 204 });
      },
      ...webhooks,
    },
  });
  for (const assistant of sandbox.control.data(KEY_A).assistants) assistant.webhook_url = URL;
  return {
    sandbox,
    pass: timers.pass,
    pendingTimers: () => timers.pending,
    sentIds: () => sent.map(({ body }) => body.call_order_id),
    sent,
  };
}

describe('Webhooks of the sandbox', () => {
  test('a call that ends is announced at its end, without any request', async () => {
    const { sandbox, pass, sent } = createSender();
    const id = sandbox.control.startCall(KEY_A, TIMES);
    await pass(END_MS - 1);
    expect(sent).toEqual([]);
    await pass(1);
    const call = sandbox.control.data(KEY_A).calls.find((each) => each.id === id);
    const attempt = call?.last_call_attempt;
    expect(sent).toEqual([
      {
        url: URL,
        body: {
          call_order_id: id,
          call_id: attempt?.id,
          status: 'completed',
          result: attempt?.result,
          annotation: attempt?.end_reason ?? null,
          transcript: attempt?.transcript
            ?.map(({ role, content }) => `${role}: ${content}`)
            .join('\n'),
          recording_url: attempt?.recording_url,
          started_at: attempt?.started_at,
          ended_at: attempt?.ended_at,
          calls_count: 1,
        },
      },
    ]);
    await pass(2 * END_MS);
    expect(sent).toHaveLength(1);
  });

  test('a call that a test ends is announced at once', async () => {
    const { sandbox, pass, sentIds, pendingTimers } = createSender();
    const id = sandbox.control.startCall(KEY_A, TIMES);
    await pass(10_000);
    sandbox.control.endCall(KEY_A, id);
    await pass(0);
    expect(sentIds()).toEqual([id]);
    // Static data has no further end.
    expect(pendingTimers()).toBe(0);
  });

  test('each call that ends in live data is announced once, while no request arrives', async () => {
    const { sandbox, pass, sentIds } = createSender({}, { live: true });
    const isOver = ({ status }: { status: string }) => status === 'completed';
    const before = new Set(
      sandbox.control
        .data(KEY_A)
        .calls.filter(isOver)
        .map(({ id }) => id),
    );
    await pass(600_000);
    const ids = sentIds();
    expect(ids.length).toBeGreaterThan(10);
    expect(new Set(ids).size).toBe(ids.length);
    const after = sandbox.control.data(KEY_A).calls.filter(isOver);
    expect(ids.toSorted()).toEqual(
      after
        .filter(({ id, assistant }) => !before.has(id) && assistant?.webhook_url === URL)
        .map(({ id }) => id)
        .toSorted(),
    );
  });

  test('an assistant without a webhook_url announces nothing', async () => {
    const { sandbox, pass, sent } = createSender();
    for (const assistant of sandbox.control.data(KEY_A).assistants) assistant.webhook_url = null;
    sandbox.control.startCall(KEY_A, TIMES);
    await pass(2 * END_MS);
    expect(sent).toEqual([]);
  });

  test('delayMs, copies and forgesIds make webhooks late, double, silent and forged', async () => {
    const late = createSender({ delayMs: 5_000 });
    late.sandbox.control.startCall(KEY_A, TIMES);
    await late.pass(END_MS + 4_999);
    expect(late.sent).toEqual([]);
    await late.pass(1);
    expect(late.sent).toHaveLength(1);

    const double = createSender({ copies: 2 });
    const id = double.sandbox.control.startCall(KEY_A, TIMES);
    await double.pass(END_MS);
    expect(double.sentIds()).toEqual([id, id]);

    const silent = createSender({ copies: 0 });
    silent.sandbox.control.startCall(KEY_A, TIMES);
    await silent.pass(2 * END_MS);
    expect(silent.sent).toEqual([]);

    const forging = createSender({ forgesIds: true });
    forging.sandbox.control.startCall(KEY_A, TIMES);
    await forging.pass(END_MS);
    const { calls, attempts } = forging.sandbox.control.data(KEY_A);
    const known = [...calls, ...attempts].map((each) => each.id);
    const ids = forging.sent.flatMap(({ body }) => [body.call_order_id, body.call_id]);
    expect(ids).toHaveLength(2);
    for (const forged of ids) {
      expect(forged).toMatch(/^[\da-f-]{36}$/);
      expect(known).not.toContain(forged);
    }
  });

  test('a webhook_url that is no URL, and a sender that throws, announce nothing and change nothing', async () => {
    const throws = () => {
      throw new Error('no network');
    };
    const scenes = [
      { url: 'hooks.test/revox', ...createSender() },
      { url: URL, ...createSender({ fetch: throws }) },
    ];
    for (const { sandbox, url, pass, sent } of scenes) {
      for (const assistant of sandbox.control.data(KEY_A).assistants) assistant.webhook_url = url;
      const id = sandbox.control.startCall(KEY_A, TIMES);
      await pass(END_MS);
      expect(sent).toEqual([]);
      const call = sandbox.control.data(KEY_A).calls.find((each) => each.id === id);
      expect(call?.status).toBe('completed');
    }
  });

  test('a call of thirty days starts no timer that is too long for Node.js', async () => {
    const delays: number[] = [];
    const sandbox = createSandbox({
      startTimer(_run, ms) {
        delays.push(ms);
        return () => {};
      },
      webhooks: {},
    });
    sandbox.control.startCall(KEY_A, { ...TIMES, talkMs: 30 * 86_400_000 });
    expect(delays.length).toBeGreaterThan(0);
    expect(Math.max(...delays)).toBeLessThan(2 ** 31);
  });

  test('a receiver that fails changes nothing', async () => {
    let attempts = 0;
    const { sandbox, pass } = createSender({
      fetch: async () => {
        attempts += 1;
        throw new TypeError('fetch failed');
      },
    });
    for (const _ of [1, 2]) sandbox.control.startCall(KEY_A, TIMES);
    await pass(2 * END_MS);
    expect(attempts).toBe(2);
  });

  test('wrong options are errors that say what would be right', () => {
    const create = (webhooks: unknown) => () =>
      createSandbox({ webhooks: webhooks as WebhookOptions });
    expect(create('http://hooks.test')).toThrow(/`webhooks`.* must be an object, such as \{\}/);
    expect(create({ copies: -1 })).toThrow(/`copies`.* must be a whole number, 0 or more/);
    expect(create({ delay: 1 })).toThrow(/delay/);
  });
});
