import { NotSharedError } from '#cache/second-tier-reader.ts';
import type { PollUpstream } from '#live/poll-upstream.ts';
import type { Watches } from '#live/watches.ts';
import { objectPaths, type RevoxApi } from '#rest/revox-api.ts';
import type { ReadVersion } from '#rest/upstream-request.ts';
import { phaseAt, type SimulatedCall, type SimulatedCampaign } from './simulated-calls.ts';
import type { VirtualTime } from './virtual-time.ts';

/** From the request to the response of the upstream, in ms. */
export const LATENCY_MS = 150;

interface Loaded<T> {
  readonly body: T;
  readonly response: {
    readonly readVersion: ReadVersion;
    readonly requestedAt: number;
    readonly upstreamNow: number;
  };
}

type Load = <T>(path: string, request: () => Promise<Loaded<T>>) => Promise<Loaded<T>>;

interface PageRequest {
  readonly page: number;
  readonly pageSize: number;
}

export interface SimulatedUpstream {
  readonly calls: Map<string, SimulatedCall>;
  readonly campaigns: Map<string, SimulatedCampaign>;
  /** Requests until now. */
  readonly requests: { singles: number; pages: number };
  /**
   * Polls with a credential, as an instance of the gateway does. The cache offers each response to
   * the watches, and shares it with the other instances.
   */
  connect(fingerprint: string, watches: () => Pick<Watches, 'offer'>): PollUpstream;
}

/** How long a shared response is fresh, in ms: the default of `FRESHNESS_LIVE_CALL_MS`. */
const FRESH_MS = 1_000;

/** The REST API as the polls of an instance see it: single calls, and the rows of campaigns. */
export function createSimulatedUpstream({ now, sleep }: VirtualTime): SimulatedUpstream {
  const calls = new Map<string, SimulatedCall>();
  const campaigns = new Map<string, SimulatedCampaign>();
  const bodies = new WeakMap<SimulatedCall, { readonly phase: object; readonly value: object }>();
  const requests = { singles: 0, pages: 0 };
  /** The latest response of each credential and path. */
  const shared = new Map<string, Loaded<unknown>>();
  let sequence = 0;

  /** The upstream reads its data half a latency after the request. */
  async function respond<T>(read: (at: number) => T): Promise<Loaded<T>> {
    const requestedAt = now();
    const upstreamNow = requestedAt + LATENCY_MS / 2;
    sequence += 1;
    const readVersion = { instance: 'simulated', sequence, isCached: false };
    await sleep(LATENCY_MS);
    return { body: read(upstreamNow), response: { readVersion, requestedAt, upstreamNow } };
  }

  /** The body of a single call. An unchanged one is not parsed again, so it is the same object. */
  function toBody(call: SimulatedCall, at: number): object {
    const phase = phaseAt(call, at);
    const known = bodies.get(call);
    if (known?.phase === phase) return known.value;
    const value = phase.toValue();
    bodies.set(call, { phase, value });
    return value;
  }

  return {
    calls,
    campaigns,
    requests,
    connect(fingerprint, watches) {
      const request = {
        async call(id: string) {
          requests.singles += 1;
          const call = calls.get(id);
          if (!call) throw new Error(`There is no call ${id}.`);
          return respond((at) => toBody(call, at));
        },
        async rows(id: string, { page, pageSize }: PageRequest) {
          requests.pages += 1;
          return respond((at) => {
            const live = [...(campaigns.get(id)?.calls ?? [])].filter(
              (call) => phaseAt(call, at).isListed,
            );
            const onPage = live.slice((page - 1) * pageSize, page * pageSize);
            return { total: live.length, calls: onPage.map((call) => phaseAt(call, at).toValue()) };
          });
        },
      };
      // A part of the API: the polls call no other method, and read no other property of a response.
      const toApi = (load: Load) =>
        ({
          async readCall(id: string) {
            const path = objectPaths.call(id);
            const { body, response } = await load(path, () => request.call(id));
            const read = { value: body, ...response };
            watches().offer(fingerprint, path, read);
            return read;
          },
          async listCampaignRows(id: string, page: PageRequest) {
            const path = `rows ${id} ${page.page} ${page.pageSize}`;
            const { body, response } = await load(path, () => request.rows(id, page));
            for (const value of body.calls) {
              const callPath = objectPaths.call((value as SimulatedCall).id);
              watches().offer(fingerprint, callPath, { value, ...response }, true);
            }
            const items = body.calls.map((call) => ({
              id: `row ${(call as SimulatedCall).id}`,
              call,
            }));
            const { readVersion, requestedAt } = response;
            return { items, ...body, readVersion, requestedAt };
          },
        }) as unknown as RevoxApi;
      const upstream = toApi(async (path, requestIt) => {
        const loaded = await requestIt();
        shared.set(`${fingerprint} ${path}`, loaded);
        return loaded;
      });
      const toSharedApi = (maxAgeMs: number) =>
        toApi(async (path) => {
          const loaded = shared.get(`${fingerprint} ${path}`);
          if (!loaded || now() - loaded.response.requestedAt > maxAgeMs) throw new NotSharedError();
          return loaded as never;
        });
      const sharedApis = {
        fresh: toSharedApi(FRESH_MS),
        any: toSharedApi(Number.POSITIVE_INFINITY),
      };
      return (read, { shared: age }) => read(age ? sharedApis[age] : upstream, {});
    },
  };
}
