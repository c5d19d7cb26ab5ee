import { describe, expect, test } from 'vitest';
import { KEY_A } from '../support/test-gateway.ts';
import { startForwarder } from './forwarder.ts';
import { createSseClientWithToken, describeResult, WATCH } from './live-clients.ts';
import { serveLiveGateway } from './served-live-gateway.ts';
import { createWsClient } from './snippets/graphql-ws.ts';

const ID = 'c1';
/** By default both libraries give up after five. */
const REFUSED_ATTEMPTS = 6;

describe.concurrent('A gateway that is away for a while', () => {
  test.each([
    { library: 'graphql-sse', createClient: createSseClientWithToken },
    { library: 'graphql-ws', createClient: createWsClient },
  ])(
    '$library subscribes again after the gateway has refused six attempts, and gets the state of the call',
    async ({ createClient }) => {
      await using gateway = await serveLiveGateway();
      gateway.putCall({ id: ID, status: 'calling', campaign: null });
      await using forwarder = await startForwarder(gateway.url);
      const log: string[] = [];
      const unsubscribe = createClient(forwarder.url, () => KEY_A).subscribe(
        { query: WATCH, variables: { id: ID } },
        {
          next: (result) => log.push(describeResult(result as object)),
          error: () => log.push('error'),
          complete: () => log.push('complete'),
        },
      );
      await gateway.until(() => log.length > 0);

      forwarder.shut();
      await gateway.passUntil(() => gateway.ends.includes('client'));
      gateway.traffic();
      const first = forwarder.pauses.length;
      await gateway.awaitClient(
        () => forwarder.pauses.length >= first + REFUSED_ATTEMPTS || log.includes('error'),
      );
      expect(log).toEqual(['CALLING']);
      expect(gateway.traffic()).toEqual([]);

      gateway.putCall({ id: ID, status: 'completed' });
      forwarder.reopen();
      await gateway.awaitClient(() => log.includes('complete') || log.includes('error'));
      unsubscribe();
      expect(log).toEqual(['CALLING', 'COMPLETED', 'complete']);
      expect(gateway.traffic()).toEqual([`GET /call/${ID}`]);
      expect(Math.min(...forwarder.pauses.slice(first))).toBeGreaterThan(1_500);
    },
  );
});
