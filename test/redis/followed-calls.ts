import { setTimeout as delay } from 'node:timers/promises';
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
  readonly ids: readonly string[];
  /** Changes calls that are not over. @param ids which. @default all */
  change(status?: 'calling' | 'completed', ids?: readonly string[]): Promise<void>;
  /** Waits until every stream of a living instance has shown the latest state of every call. */
  untilSeen(): Promise<void>;
  /**
   * The gaps between the polls of a time in which all calls change twice a second.
   * @param act at its beginning
   */
  during(ms: number, act?: () => unknown): Promise<Gaps>;
  kill(instance: Instance): Promise<void>;
}

/** @param isCampaign whether the calls are the rows of a campaign */
export async function followCalls(
  settings: Readonly<Record<string, string>>,
  count = 40,
  { isCampaign = false } = {},
): Promise<FollowedCalls> {
  const ids = Array.from({ length: count }, (_, index) => `call-${index}`);
  const instances = await startInstances(settings);
  const streams = new Map<Instance, CallStream>();
  /** The latest state of each call, and whether the call is over. */
  const expected = new Map<string, string>();
  let version = 0;
  const followed: FollowedCalls = {
    instances,
    ids,
    async change(status = 'calling', changed = ids) {
      version += 1;
      const to_phone_number = `+3361${String(version).padStart(7, '0')}`;
      const open = changed.filter((id) => !expected.get(id)?.startsWith('COMPLETED'));
      for (const id of open) expected.set(id, `${status.toUpperCase()} ${to_phone_number}`);
      await instances.upstream.put(
        open.map((id) => ({ apiKey: KEY_A, id, status, to_phone_number })),
      );
    },
    async untilSeen() {
      const unseen = () =>
        [...streams.values()].flatMap((stream) => {
          const states = stream.states();
          return ids.filter((id) => states.get(id) !== expected.get(id));
        });
      await expect.poll(unseen, { interval: 50 }).toEqual([]);
    },
    async during(ms, act) {
      const from = Date.now();
      await act?.();
      while (Date.now() < from + ms) {
        await followed.change();
        // The changes have no effect on the polls: only the time passes.
        await delay(500);
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
  if (isCampaign) await instances.upstream.putCampaign(ids);
  await Promise.all(
    instances.all.map(async (instance) => {
      streams.set(instance, await instance.follow(ids));
    }),
  );
  await followed.untilSeen();
  return followed;
}
