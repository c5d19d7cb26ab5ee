import { describe, expect, test } from 'vitest';
import { KEY_A } from '../support/test-gateway.ts';
import { startForwarder } from './forwarder.ts';
import {
  createSseClientWithToken,
  describeResult,
  WATCH,
  type WatchObserver,
} from './live-clients.ts';
import { serveLiveGateway } from './served-live-gateway.ts';
import { createWsClient } from './snippets/graphql-ws.ts';

const ID = 'c1';
const REQUEST = { query: WATCH, variables: { id: ID } };
const readToken = () => KEY_A;
/** By default both libraries give up after five. */
const REFUSED_ATTEMPTS = 6;

type OnConnecting = (isRetry: boolean) => void;

function watchOverSse(url: string, observer: WatchObserver, connecting: OnConnecting) {
  return createSseClientWithToken(url, readToken).subscribe(REQUEST, observer, { connecting });
}

function watchOverWebSocket(url: string, observer: WatchObserver, connecting: OnConnecting) {
  const client = createWsClient(url, readToken);
  client.on('connecting', connecting);
  return client.subscribe(REQUEST, observer);
}

describe.concurrent('A gateway that is away for a while', () => {
  test.each([
    { library: 'graphql-sse', watch: watchOverSse },
    { library: 'graphql-ws', watch: watchOverWebSocket },
  ])(
    '$library subscribes again after the gateway has refused six attempts, and gets the state of the call',
    async ({ watch }) => {
      await using gateway = await serveLiveGateway();
      gateway.putCall({ id: ID, status: 'calling', campaign: null });
      await using forwarder = await startForwarder(gateway.url);
      const log: string[] = [];
      let retries = 0;
      const unsubscribe = watch(
        forwarder.url,
        {
          next: (result) => log.push(describeResult(result as object)),
          error: () => log.push('error'),
          complete: () => log.push('complete'),
        },
        (isRetry) => {
          if (isRetry) retries += 1;
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
      expect(retries).toBeGreaterThanOrEqual(REFUSED_ATTEMPTS);
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
