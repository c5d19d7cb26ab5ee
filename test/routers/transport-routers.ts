import { expect } from 'vitest';
import {
  GRAFBASE,
  HIVE,
  toGrafbaseError,
  withConfiguration,
  withExtensions,
} from './live-routers.ts';
import type { RouterKind } from './router-process.ts';

/** A router that subscribes to the gateway over WebSocket or HTTP callback. */
export interface TransportRouter {
  readonly name: string;
  readonly kind: RouterKind;
  readonly transport: 'websocket' | 'callback';
  /** Whether clients with the same credential share a WebSocket. */
  readonly sharesSockets?: boolean;
  /** What a client sees when the gateway does not accept the credential. */
  readonly refusal: object;
  /** What a client sees of the last event, when Revox rejects the key later. */
  readonly keyRejection: object;
  /**
   * What a client sees of the error when the gateway stops, or its connection breaks. Undefined: the
   * stream ends as if it were over. `reconnects`: the router subscribes again, and the client sees
   * no error.
   */
  readonly interruptions: Readonly<Record<'drained' | 'gone', object | 'reconnects' | undefined>>;
}

const UNEXPECTED = withExtensions({ code: 'INTERNAL_SERVER_ERROR' });

/** The transport of Hive Gateway does not pass on the codes of errors. */
const HIVE_WEB_SOCKET = {
  transport: 'websocket',
  sharesSockets: true,
} as const;

function toHive(kind: RouterKind): TransportRouter {
  const isRust = kind.name.includes('Hive Router');
  return {
    name: `${kind.name} over WebSocket`,
    kind: withConfiguration(kind, 'hive-ws.js'),
    ...HIVE_WEB_SOCKET,
    refusal: isRust
      ? withExtensions({ code: 'DOWNSTREAM_SERVICE_ERROR' })
      : { locations: [{ line: 1, column: 1 }] },
    keyRejection: UNEXPECTED,
    interruptions: { drained: 'reconnects', gone: { message: '' } },
  };
}

const GRAFBASE_WEB_SOCKET: RouterKind = {
  ...GRAFBASE,
  toFiles(subgraphs) {
    const files = GRAFBASE.toFiles?.(subgraphs) ?? {};
    const { 'subgraphs.toml': text = '' } = files;
    const url = /^url = "http(:.*)"$/m;
    return { ...files, 'subgraphs.toml': text.replace(url, '$&\nwebsocket_url = "ws$1"') };
  },
};

const [HIVE_GATEWAY] = HIVE;

export const TRANSPORT_ROUTERS: readonly TransportRouter[] = [
  ...HIVE.map(toHive),
  {
    name: 'Grafbase over WebSocket',
    kind: GRAFBASE_WEB_SOCKET,
    transport: 'websocket',
    refusal: {
      message: expect.stringContaining('4401'),
      ...withExtensions({ code: 'SUBGRAPH_REQUEST_ERROR' }),
    },
    keyRejection: toGrafbaseError({ code: 'UNAUTHENTICATED' }),
    interruptions: { drained: undefined, gone: undefined },
  },
  ...(HIVE_GATEWAY
    ? [
        {
          name: `${HIVE_GATEWAY.name} over HTTP callback`,
          kind: withConfiguration(HIVE_GATEWAY, 'hive-callback.js'),
          transport: 'callback',
          refusal: withExtensions({ code: 'UNAUTHENTICATED' }),
          keyRejection: withExtensions({ code: 'UNAUTHENTICATED' }),
          interruptions: {
            drained: withExtensions({
              code: 'SUBSCRIPTION_INTERRUPTED',
              retryAfter: expect.any(Number),
            }),
            gone: withExtensions({ code: 'TIMEOUT_ERROR' }),
          },
        } as const,
      ]
    : []),
];
