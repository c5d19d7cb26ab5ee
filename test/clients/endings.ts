import { KEY_A } from '../support/test-gateway.ts';
import {
  createKey,
  createTokenIssuer,
  JWT_SETTINGS,
  sign,
  toFetchKeys,
  VALID_CLAIMS,
} from '../support/token-issuer.ts';
import { type Forwarder, startForwarder } from './forwarder.ts';
import { type ServedLiveGateway, serveLiveGateway } from './served-live-gateway.ts';

export const CALL_ID = 'c1';

/** A client with a subscription to a call, and what is behind it. */
export interface Scene extends AsyncDisposable {
  readonly url: string;
  readonly readToken: () => string;
  readonly forwarder: Forwarder;
  /** The gateway that gets new connections. */
  gateway: ServedLiveGateway;
  /** The API key of the gateway. Empty: each client sends its own. */
  readonly serviceKey: string;
  token: string;
  /** All gateways, in the order of their start. */
  readonly gateways: ServedLiveGateway[];
  /** Disconnects the subscription of another client. */
  readonly otherClient: AbortController;
  /**
   * The stream of that client, which does not read it. Node.js would cancel the stream when it
   * collects the response.
   */
  otherResponse?: Response;
}

export interface Ending {
  readonly settings?: Readonly<Record<string, string>>;
  /** Whether bearer tokens are those of an issuer. */
  readonly hasTokens?: boolean;
  /** Whether the stream is decided when the client subscribes, instead of later. */
  readonly isAtDoor?: boolean;
  /**
   * What the events read upstream.
   * @default that of the call
   */
  readonly paths?: readonly string[];
  /** Whether the stream goes on. */
  readonly goesOn?: boolean;
  /** The code of an error that the client gets. */
  readonly code?: string;
  /** The same where the key is that of the gateway. */
  readonly serviceCode?: string;
  /** What the log of the gateway says: the reason of the stream, or the status of the request. */
  readonly end: string;
  /** The same over multipart. */
  readonly multipartEnd?: string;
  /** Ends the subscription, or makes the gateway refuse it. */
  cause(scene: Scene): Promise<void> | void;
  /** Lets a client subscribe again. */
  mend?(scene: Scene): Promise<void> | void;
}

export const PATH = `/call/${CALL_ID}`;
const CAMPAIGN = { id: 'k1', name: 'A campaign' };
const CAMPAIGN_PATH = `/campaigns/${CAMPAIGN.id}`;

/** The rows of the tables in `docs/guides/live-calls.md`. */
export const ENDINGS: Readonly<Record<string, Ending>> = {
  'the call is over': {
    end: 'over',
    cause: ({ gateway }) => gateway.putCall({ id: CALL_ID, status: 'completed' }),
  },
  'there is no such call': {
    isAtDoor: true,
    end: 'over',
    cause: ({ gateway }) => gateway.sandbox.control.fail(PATH, { status: 404 }),
  },
  'a field of the call fails': {
    end: 'over',
    code: 'UPSTREAM_UNAVAILABLE',
    paths: [PATH, CAMPAIGN_PATH],
    goesOn: true,
    async cause({ gateway }) {
      const { control, log } = gateway.sandbox;
      control.fail(CAMPAIGN_PATH, { status: 503 });
      gateway.putCall({ id: CALL_ID, status: 'calling', campaign: CAMPAIGN });
      await gateway.passUntil(() => log.some(({ path }) => path === CAMPAIGN_PATH));
    },
  },
  'the subscription exceeds MAX_SUBSCRIPTION_COST': {
    settings: { MAX_SUBSCRIPTION_COST: '1' },
    isAtDoor: true,
    end: '200',
    multipartEnd: '400',
    code: 'OPERATION_TOO_COMPLEX',
    paths: [],
    cause() {},
  },
  'Revox rejects the key': {
    end: 'rejected',
    code: 'UNAUTHENTICATED',
    serviceCode: 'UPSTREAM_REJECTED',
    cause: ({ gateway }) => gateway.sandbox.control.fail(PATH, { status: 401 }),
  },
  'the token expires': {
    hasTokens: true,
    end: 'expired',
    code: 'UNAUTHENTICATED',
    async cause(scene) {
      await untilEnd(scene, 'expired');
      scene.token = await createToken(scene.gateway.now(), 3_600);
    },
  },
  'LIVE_LIFETIME_MS is over': {
    settings: { LIVE_LIFETIME_MS: '20000' },
    end: 'lifetime',
    cause: (scene) => untilEnd(scene, 'lifetime'),
  },
  'the instance stops': {
    settings: { DRAIN_DELAY_MS: '1000', DRAIN_TIMEOUT_MS: '10000' },
    end: 'drain',
    async cause(scene) {
      const { gateway, forwarder } = scene;
      const next = await serveLiveGateway({ settings: { REVOX_API_KEY: scene.serviceKey } });
      scene.gateways.push(next);
      forwarder.forwardTo(next.url);
      void gateway.drain();
      await untilEnd(scene, 'drain');
      scene.gateway = next;
    },
  },
  'the API fails for LIVE_GIVE_UP_MS': {
    settings: { LIVE_GIVE_UP_MS: '20000' },
    end: 'outage',
    code: 'UPSTREAM_UNAVAILABLE',
    async cause(scene) {
      const { control } = scene.gateway.sandbox;
      control.fail(PATH, { status: 503 });
      await untilEnd(scene, 'outage');
      control.heal();
    },
  },
  'the client does not read for 30 s': {
    end: 'slow',
    async cause(scene) {
      const { gateway, forwarder } = scene;
      forwarder.stopReading();
      const text = 'x'.repeat(LARGE_EVENT_BYTES);
      let number = 0;
      await gateway.passUntil(() => {
        number += 1;
        gateway.putCall({ id: CALL_ID, status: 'calling', metadata: { text: text + number } });
        return gateway.ends.includes('slow');
      });
      forwarder.readOn();
    },
  },
  'the connection breaks': {
    end: 'client',
    async cause(scene) {
      scene.forwarder.cut();
      await untilEnd(scene, 'client');
    },
  },
  'too many subscriptions of a caller (429)': {
    settings: { MAX_SUBSCRIPTIONS_PER_CALLER: '1' },
    code: 'RATE_LIMITED',
    end: '429',
    ...withoutFreeSlot(),
  },
  'too many subscriptions (503)': {
    settings: { MAX_SUBSCRIPTIONS: '1' },
    code: 'RATE_LIMITED',
    end: '503',
    ...withoutFreeSlot(),
  },
  'the credential is missing (401)': {
    end: '401',
    code: 'UNAUTHENTICATED',
    isAtDoor: true,
    cause(scene) {
      scene.token = '';
    },
    mend(scene) {
      scene.token = KEY_A;
    },
  },
};

/** A few of them fill the buffers of the sockets. */
const LARGE_EVENT_BYTES = 1_000_000;

const untilEnd = ({ gateway }: Scene, end: string) =>
  gateway.passUntil(() => gateway.ends.includes(end));

/** Another subscription takes the only slot, and gives it back. */
function withoutFreeSlot(): Pick<Ending, 'isAtDoor' | 'cause' | 'mend'> {
  return {
    isAtDoor: true,
    async cause(scene) {
      const { gateway, readToken, otherClient } = scene;
      const query = `subscription { callUpdated(id: "${CALL_ID}") { status } }`;
      scene.otherResponse = await fetch(gateway.url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'text/event-stream',
          authorization: `Bearer ${readToken()}`,
        },
        body: JSON.stringify({ query }),
        signal: otherClient.signal,
      });
      // A key counts as a caller of its own within a second after the API has accepted it.
      const openedAt = gateway.now();
      await gateway.passUntil(() => gateway.now() - openedAt > 1_000);
    },
    async mend({ gateway, otherClient }) {
      otherClient.abort();
      await gateway.until(() => gateway.ends.includes('client'));
    },
  };
}

export async function createScene(ending: Ending, serviceKey: string): Promise<Scene> {
  const { settings, hasTokens = false } = ending;
  const gateway = await serveLiveGateway({
    settings: {
      REVOX_API_KEY: hasTokens ? KEY_A : serviceKey,
      ...(hasTokens ? JWT_SETTINGS : {}),
      ...settings,
    },
    gateway: hasTokens ? { fetchKeys: toFetchKeys(createTokenIssuer(await ISSUER_KEY)) } : {},
  });
  gateway.putCall({ id: CALL_ID, status: 'calling', campaign: null });
  const forwarder = await startForwarder(gateway.url);
  const scene: Scene = {
    url: forwarder.url,
    forwarder,
    gateway,
    gateways: [gateway],
    otherClient: new AbortController(),
    serviceKey,
    token: hasTokens ? await createToken(gateway.now(), 20) : KEY_A,
    readToken: () => scene.token,
    async [Symbol.asyncDispose]() {
      scene.otherClient.abort();
      await forwarder[Symbol.asyncDispose]();
      for (const each of scene.gateways) await each.close();
    },
  };
  return scene;
}

const ISSUER_KEY = createKey('k1');

async function createToken(now: number, seconds: number): Promise<string> {
  const exp = Math.floor(now / 1000) + seconds;
  return sign(await ISSUER_KEY, { ...VALID_CLAIMS, sub: 'u', exp });
}
