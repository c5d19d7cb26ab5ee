import type { PollUpstream } from '#live/poll-upstream.ts';
import type { Watches } from '#live/watches.ts';
import { objectPaths } from '#rest/revox-api.ts';
import { phaseAt, type SimulatedCall, type SimulatedCampaign } from './simulated-calls.ts';
import type { VirtualTime } from './virtual-time.ts';

/** From the request to the response of the upstream, in ms. */
export const LATENCY_MS = 150;

export interface SimulatedUpstream {
  readonly calls: Map<string, SimulatedCall>;
  readonly campaigns: Map<string, SimulatedCampaign>;
  /** Requests until now. */
  readonly requests: { singles: number; pages: number };
  /**
   * Polls with a credential, as an instance of the gateway does. The cache offers each response to
   * the watches.
   */
  connect(fingerprint: string, watches: () => Pick<Watches, 'offer'>): PollUpstream;
}

/** The REST API as the polls of an instance see it: single calls, and the rows of campaigns. */
export function createSimulatedUpstream({ now, sleep }: VirtualTime): SimulatedUpstream {
  const calls = new Map<string, SimulatedCall>();
  const campaigns = new Map<string, SimulatedCampaign>();
  const bodies = new WeakMap<SimulatedCall, { readonly phase: object; readonly value: object }>();
  const requests = { singles: 0, pages: 0 };
  let sequence = 0;

  /** The upstream reads its data half a latency after the request. */
  async function respond<T>(read: (at: number) => T) {
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
      const rest = {
        async readCall(id: string) {
          requests.singles += 1;
          const call = calls.get(id);
          if (!call) throw new Error(`There is no call ${id}.`);
          const { body, response } = await respond((at) => toBody(call, at));
          const read = { value: body, ...response };
          watches().offer(fingerprint, objectPaths.call(id), read);
          return read;
        },
        async listCampaignRows(id: string, { page, pageSize }: { page: number; pageSize: number }) {
          requests.pages += 1;
          const { body, response } = await respond((at) => {
            const live = [...(campaigns.get(id)?.calls ?? [])].filter(
              (call) => phaseAt(call, at).isListed,
            );
            const onPage = live.slice((page - 1) * pageSize, page * pageSize);
            return { total: live.length, calls: onPage.map((call) => phaseAt(call, at).toValue()) };
          });
          for (const value of body.calls) {
            const path = objectPaths.call((value as SimulatedCall).id);
            watches().offer(fingerprint, path, { value, ...response }, true);
          }
          const items = body.calls.map((call) => ({
            id: `row ${(call as SimulatedCall).id}`,
            call,
          }));
          return { items, ...body, readVersion: response.readVersion };
        },
      };
      // The rest of the API is never called.
      return (read) => read(rest as never, {});
    },
  };
}
