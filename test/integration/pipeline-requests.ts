import { expect } from 'vitest';
import { type SampleIds, sampleIds } from '#sandbox/sample-ids.ts';
import type { ObservedGateway, Pipelines } from '../support/pipelines.ts';

export const CALL = 'query Card($id: ID!) { call(id: $id) { id status } }';
export const ASSISTANTS = '{ assistants(first: 3) { nodes { id name } } }';

export const post = (params: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
  body: typeof params === 'string' ? params : JSON.stringify(params),
});

export const idsOf = ({ sandbox }: ObservedGateway): SampleIds => sampleIds(sandbox);
export const callOf = (gateway: ObservedGateway, headers = {}) =>
  post({ query: CALL, variables: { id: idsOf(gateway).richCallId } }, headers);

/**
 * Sends the request `times` times and compares the pipelines each time. Returns how many operations
 * the gateway with the response cache started, per request.
 */
export async function expectSameOnAllPipelines(
  pipelines: Pipelines,
  init: RequestInit,
  times = 4,
): Promise<number[]> {
  const all: number[] = [];
  for (let time = 1; time <= times; time += 1) {
    const { observed, startedOperations } = await pipelines.observe(init);
    expect(observed.fast, `the fast path, request ${time}`).toEqual(observed.yoga);
    expect(observed.cached, `the response cache, request ${time}`).toEqual(observed.yoga);
    expect(observed.cachedYoga, `the response cache before Yoga, request ${time}`).toEqual(
      observed.yoga,
    );
    expect(startedOperations.cachedYoga, `cached without the fast path, request ${time}`).toBe(
      startedOperations.cached,
    );
    all.push(startedOperations.cached);
  }
  for (const { unexpectedErrors } of Object.values(pipelines.gateways))
    expect(unexpectedErrors).toEqual([]);
  return all;
}
