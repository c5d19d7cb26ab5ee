import { describe, expect, test } from 'vitest';
import { createPipelines } from '../support/pipelines.ts';
import { untilIdle } from '../support/timed-gateway.ts';
import { CALL, callOf, expectSameOnAllPipelines, idsOf, post } from './pipeline-requests.ts';

describe('Disconnecting client', () => {
  test.each(['while the upstream request is in flight', 'before its request is read'])(
    'a client that disconnects %s is logged as CLIENT_CLOSED_REQUEST by every pipeline',
    async (moment) => {
      const pipelines = createPipelines();
      await expectSameOnAllPipelines(pipelines, callOf(pipelines.gateways.yoga), 1);
      const results = [];
      for (const gateway of Object.values(pipelines.gateways)) {
        const client = new AbortController();
        gateway.sandbox.control.hang(() => true);
        gateway.capturedLog.lines.splice(0);
        gateway.traffic();
        const pending = gateway.fetch('/graphql', {
          ...post({ query: CALL, variables: { id: idsOf(gateway).retriedCallId } }),
          signal: client.signal,
        });
        if (moment.startsWith('while')) await untilIdle();
        client.abort();
        await expect(pending).rejects.toThrow('aborted');
        await untilIdle();
        const [line] = gateway.capturedLog.read('/graphql');
        const { status, code, operation } = line!;
        results.push({ status, code, operation, traffic: gateway.traffic() });
        expect(gateway.unexpectedErrors).toEqual([]);
      }
      expect(results[2]).toMatchObject({ status: 499, code: 'CLIENT_CLOSED_REQUEST' });
      expect(results[1]).toEqual(results[2]);
      expect(results[0]).toEqual(results[2]);
    },
  );

  test('an operation whose client disconnects while the operation is queued starts nothing and sends no upstream request', async () => {
    let ms = 0;
    const pipelines = createPipelines({ gateway: { monotonicNow: () => ms } });
    await expectSameOnAllPipelines(pipelines, callOf(pipelines.gateways.yoga), 1);
    const outcomes: { traffic: number; codes: unknown[] }[] = [];
    for (const gateway of Object.values(pipelines.gateways)) {
      const ids = idsOf(gateway).twentyCallIds;
      const clients = ids.map(() => new AbortController());
      gateway.capturedLog.lines.splice(0);
      gateway.traffic();
      // All operations arrive in one iteration of the event loop; the first one uses up its time
      // slice.
      const pending = ids.map((id, n) => {
        const sent = gateway.fetch('/graphql', {
          ...post({ query: CALL, variables: { id } }),
          signal: clients[n]!.signal,
        });
        return sent.then(
          () => 'answered',
          () => 'left',
        );
      });
      // Reading the bodies takes microtasks only, no iteration of the event loop.
      for (let tick = 0; tick < 3; tick += 1) await Promise.resolve();
      ms += 100;
      for (const client of clients.slice(1)) client.abort();
      expect((await Promise.all(pending)).slice(1)).toEqual(ids.slice(1).map(() => 'left'));
      await untilIdle();
      outcomes.push({
        traffic: gateway.traffic().length,
        codes: gateway.capturedLog
          .read('/graphql')
          .map(({ code }) => code)
          .sort(),
      });
    }
    expect(outcomes[0]?.traffic).toBeLessThanOrEqual(1);
    expect(outcomes).toEqual(outcomes.map(() => outcomes[2]));
  });
});
