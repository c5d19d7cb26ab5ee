import { createLimitSharing } from '#coordination/limit-sharing.ts';
import type { MessageHandler } from '#redis/instance-channel.ts';
import type { Command } from '#redis/redis-connection.ts';
import { createRestClient } from '#rest/client.ts';
import { Credential } from '#rest/credential.ts';
import { createAcceptedCredentials } from '#rest/resilience/accepted-credentials.ts';
import { createFetchTransport } from '#rest/transport/transport.ts';
import type { UpstreamContext } from '#rest/upstream-context.ts';
import { type UpstreamAct, upstreamRequest } from '../rest/client-scene.ts';
import { createClock } from '../support/clock.ts';
import { createTimers } from '../support/timers.ts';
import { createUpstreamContext, NO_UPSTREAM_EVENTS } from '../support/upstream-context.ts';

export const ANN = new Credential('sk_live_ann', 'a secret that the instances share');
export const BOB = new Credential('sk_live_bob', 'a secret that the instances share');

/**
 * The clients of several instances, over one upstream and a Redis in memory. The test owns the only
 * clock; messages arrive at once.
 */
export function createInstances(
  count: number,
  respond: UpstreamAct,
  { maxConcurrency = 20, retries = 2 } = {},
) {
  const clock = createClock();
  const timers = createTimers(clock);
  const { startTimer } = timers;
  const values = new Map<string, { readonly value: string; readonly expiresAt: number }>();
  const messages: string[] = [];
  const handlers: Map<string, MessageHandler>[] = [];
  const commands: Command[] = [];
  const sent: { readonly instance: number; readonly path: string; readonly at: number }[] = [];
  const redis = {
    values,
    commands,
    messages,
    /** `silent`: messages are lost. */
    state: 'up' as 'up' | 'silent' | 'slow' | 'gone',
    /** The keys that have not expired. */
    keys: () =>
      [...values].filter(([, { expiresAt }]) => expiresAt > clock.now()).map(([key]) => key),
    publish(body: string, from: number | undefined) {
      messages.push(body);
      const [topic = '', ...rest] = body.split(' ');
      for (const [instance, topics] of handlers.entries())
        if (instance !== from) topics.get(topic)?.(rest.join(' '));
    },
  };

  const clients = Array.from({ length: count }, (_, instance) => {
    const topics = new Map<string, MessageHandler>();
    handlers.push(topics);
    const sharing = createLimitSharing({
      connection: {
        isUp: () => redis.state !== 'gone',
        async send(_tag: string, ...all: Command[]) {
          if (redis.state === 'slow') return new Promise(() => {});
          return redis.state === 'gone' ? undefined : all.map(perform);
        },
        time: () => ({ earliest: clock.now() - 2, latest: clock.now() + 2 }),
      },
      channel: {
        publish(_tag, topic, body) {
          if (redis.state === 'up') redis.publish(`${topic} ${body}`, instance);
        },
        onMessage: (topic, handler) => topics.set(topic, handler),
      },
      monotonicNow: clock.now,
      startTimer,
    });
    const client = createRestClient({
      transport: createFetchTransport(async (request) => {
        sent.push({ instance, path: new URL(request.url).pathname.slice(4), at: clock.now() });
        return respond();
      }, startTimer),
      userAgent: 'a-gateway/1',
      baseUrl: 'http://revox.test/api',
      timeoutMs: 600_000,
      maxConcurrency,
      maxConcurrencyTotal: 1_000,
      maxQueued: 1_000,
      maxResponseBytes: 2_000,
      retries,
      breaker: { failures: 1_000, openMs: 1_000 },
      keyHolder: 'caller',
      acceptedCredentials: createAcceptedCredentials({
        keyHolder: 'gateway',
        monotonicNow: clock.now,
      }),
      shareLimits: sharing.shareLimits,
      events: NO_UPSTREAM_EVENTS,
      now: clock.now,
      monotonicNow: clock.now,
      random: () => 1,
      startTimer,
    });
    return {
      client,
      sharing,
      send(path: string, credential = ANN, context: Partial<UpstreamContext> = {}) {
        const pending = client.send(
          createUpstreamContext({ credential, ...context }),
          upstreamRequest(path),
        );
        pending.catch(() => {});
        return pending;
      },
    };
  });

  function perform([name, key = '', ...rest]: Command): unknown {
    commands.push([String(name), key, ...rest]);
    const found = values.get(String(key));
    const current = found && found.expiresAt > clock.now() ? found : undefined;
    if (name === 'GETRANGE')
      return Buffer.from(current?.value ?? '').subarray(0, Number(rest[1]) + 1);
    if (name === 'DEL') return Number(values.delete(String(key)));
    const [value, ...flags] = rest.map(String);
    if (flags.includes('NX') && current) return null;
    values.set(String(key), {
      value: value ?? '',
      expiresAt: clock.now() + Number(flags[flags.indexOf('PX') + 1]),
    });
    return 'OK';
  }

  return {
    clients,
    redis,
    sent,
    clock,
    timers,
    /** The requests sent since the last call, as `0 /call/a`: the instance and the path. */
    newlySent: () => sent.splice(0).map(({ instance, path }) => `${instance} ${path}`),
    pass: timers.pass,
  };
}
