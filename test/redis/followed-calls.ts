import { expect } from 'vitest';
import {
  type CallStream,
  type Gaps,
  gapsOf,
  type Instance,
  type Instances,
  KEY_A,
  startInstances,
} from './gateway-instances.ts';

/** Several instances of which each follows the same calls, with one stream. */
export interface FollowedCalls extends AsyncDisposable {
  readonly instances: Instances;
  /** Changes every call. */
  change(status?: 'calling' | 'completed'): Promise<void>;
  /** Waits until every stream of a living instance has shown the latest state of every call. */
  untilSeen(): Promise<void>;
  /** The gaps between the polls of a time in which all calls change twice a second. */
  during(ms: number): Promise<Gaps>;
  /** Kills an instance. */
  kill(instance: Instance): Promise<void>;
}

export async function followCalls(
  settings: Readonly<Record<string, string>>,
  count = 40,
): Promise<FollowedCalls> {
  const ids = Array.from({ length: count }, (_, index) => `call-${index}`);
  const instances = await startInstances(settings);
  const streams = new Map<Instance, CallStream>();
  let version = 0;
  const followed: FollowedCalls = {
    instances,
    async change(status = 'calling') {
      version += 1;
      const to_phone_number = toNumber(version);
      await instances.upstream.put(
        ids.map((id) => ({ apiKey: KEY_A, id, status, to_phone_number })),
      );
    },
    async untilSeen() {
      const unseen = () =>
        [...streams.values()].flatMap((stream) => {
          const states = stream.states();
          return ids.filter((id) => !states.get(id)?.endsWith(toNumber(version)));
        });
      await expect.poll(unseen, { interval: 50 }).toEqual([]);
    },
    async during(ms) {
      const from = Date.now();
      while (Date.now() < from + ms) {
        await followed.change();
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      return gapsOf(instances.upstream, { from, to: from + ms });
    },
    async kill(instance) {
      streams.delete(instance);
      await instance.gateway[Symbol.asyncDispose]();
    },
    [Symbol.asyncDispose]: instances[Symbol.asyncDispose],
  };
  await followed.change();
  await Promise.all(
    instances.all.map(async (instance) => {
      streams.set(instance, await instance.follow(ids));
    }),
  );
  await followed.untilSeen();
  return followed;
}

function toNumber(version: number): string {
  return `+3361${String(version).padStart(7, '0')}`;
}
