import { afterEach, beforeEach } from 'vitest';
import { type ServedLiveGateway, serveLiveGateway } from '../clients/served-live-gateway.ts';
import { openSocket, type SocketClient, type SocketClientOptions } from './socket-client.ts';
import { KEY_A } from './test-gateway.ts';

export const QUERY = 'subscription { callUpdated(id: "c1") { status } }';
export const SECOND = 1_000;

/** A gateway on a port for each test, with the calls `c1` and `c2`, which are being made. */
export interface WebSocketGateway {
  /** The gateway of the current test. */
  readonly current: ServedLiveGateway;
  /** Replaces the gateway of the test. */
  restart(settings?: Record<string, string>, more?: object): Promise<void>;
  open(options?: SocketClientOptions): Promise<SocketClient>;
  /** Opens a subscription to a call, and waits for its first event. */
  watch(client: SocketClient, id?: string, query?: string): Promise<void>;
  /** Lets the time of the gateway pass. */
  pass(ms: number): Promise<void>;
  metric(name: string): Promise<number>;
}

/** To be called at the top of a test file. The gateway is in service mode. */
export function useWebSocketGateway(): WebSocketGateway {
  let gateway: ServedLiveGateway;
  beforeEach(() => start());
  afterEach(() => gateway.close());

  async function start(settings: Record<string, string> = {}, more: object = {}): Promise<void> {
    gateway = await serveLiveGateway({ settings: { REVOX_API_KEY: KEY_A, ...settings }, ...more });
    for (const id of ['c1', 'c2']) gateway.putCall({ id, status: 'calling' });
  }

  return {
    get current() {
      return gateway;
    },
    async restart(settings, more) {
      await gateway.close();
      await start(settings, more);
    },
    open: (options) => openSocket(gateway.url, options),
    async watch(client, id = '1', query = QUERY) {
      client.subscribe(id, query);
      // Polls of two calls have a distance. After the first poll of the call, time stands still: a
      // slow socket adds no polls.
      const call = /id: "(\w+)"/.exec(query)?.[1];
      await gateway.passUntil(() =>
        gateway.sandbox.log.some(({ path }) => path === `/call/${call}`),
      );
      await gateway.until(() => client.ofType('next', id).length > 0);
    },
    async pass(ms) {
      const end = gateway.now() + ms;
      await gateway.passUntil(() => gateway.now() >= end);
    },
    async metric(name) {
      const text = await (await fetch(gateway.url.replace('/graphql', '/metrics'))).text();
      const line = text.split('\n').find((each) => each.startsWith(`revox_gateway_${name} `));
      return Number(line?.split(' ').at(-1) ?? 0);
    },
  };
}

/** The statuses of the call in the events of a subscription. */
export function statuses(client: SocketClient, id?: string): unknown[] {
  return client.ofType('next', id).map(({ payload }) => payload.data?.callUpdated?.status);
}
