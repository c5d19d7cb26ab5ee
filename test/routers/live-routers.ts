import { expect } from 'vitest';
import type { RouterKind } from './router-process.ts';
import { ROUTERS } from './router-process.ts';

/** A router that subscribes to the gateway over event streams. */
export interface LiveRouter {
  readonly name: string;
  readonly kind: RouterKind;
  /** The method of the requests that open an event stream. */
  readonly method: 'GET' | 'POST';
  /** Whether the router subscribes again by itself after an interruption. */
  readonly reconnects: boolean;
  /** What a client sees of the error of a subscription that the gateway rejects. */
  toRejection(code: string, status: number): object;
  /** What a client sees of the error of an event, when Revox rejects the key later. */
  readonly errorOfKey: object;
  /** The data beside this error. */
  readonly dataOfKey: object;
  /** What a client sees of the error before or at the end of an interrupted stream. */
  readonly interruptions: Readonly<Record<'SIGTERM' | 'SIGKILL', object>>;
}

export const GRAFBASE: RouterKind = {
  name: 'Grafbase',
  composer: 'hive',
  command: [
    'grafbase.js',
    '--home=DIRECTORY',
    'dev',
    '--gateway-config=grafbase.toml',
    '--graph-overrides=DIRECTORY/subgraphs.toml',
    '--port=PORT',
  ],
  // Its development server composes the subgraphs itself.
  toFiles: (subgraphs) => ({
    ...Object.fromEntries(subgraphs.map(({ name, sdl }) => [`${name}.graphql`, sdl])),
    'subgraphs.toml': subgraphs
      .map(
        ({ name, url }) =>
          `[subgraphs.${name}]\nurl = "${url}"\nschema_path = "DIRECTORY/${name}.graphql"\n`,
      )
      .join(''),
  }),
};

export const HIVE = ROUTERS.filter(({ name }) => name.startsWith('Hive'));

export function withConfiguration(kind: RouterKind, file: string): RouterKind {
  return { ...kind, command: kind.command.map((part) => part.replace('hive.js', file)) };
}

const INTERRUPTED = 'SUBSCRIPTION_INTERRUPTED';

/** Hive Gateway ends the stream of its client with that of the gateway. */
const HIVE_BEHAVIOUR = {
  reconnects: false,
  errorOfKey: withExtensions({ code: 'UNAUTHENTICATED' }),
  toRejection: (code: string) => withExtensions({ code }),
  interruptions: {
    SIGTERM: withExtensions({ code: INTERRUPTED, retryAfter: expect.any(Number) }),
    SIGKILL: withExtensions({ code: 'INTERNAL_SERVER_ERROR' }),
  },
};

/** The query planner of Hive Router sends the last data beside an error without data. */
function toDataOfKey({ name }: RouterKind): object {
  return name.includes('Hive Router')
    ? { callUpdated: expect.objectContaining({ status: 'CALLING' }) }
    : { callUpdated: null };
}

/** Grafbase has codes of its own, and subscribes again until its client leaves. */
const GRAFBASE_BEHAVIOUR = {
  reconnects: true,
  toRejection: (code: string, status: number) =>
    status === 200
      ? toGrafbaseError({ code })
      : {
          message: expect.stringMatching(new RegExp(`\\b${status}$`)),
          ...withExtensions({ code: 'SUBGRAPH_REQUEST_ERROR' }),
        },
  errorOfKey: toGrafbaseError({ code: 'UNAUTHENTICATED' }),
  dataOfKey: { callUpdated: null },
  interruptions: {
    SIGTERM: toGrafbaseError({ code: INTERRUPTED, retryAfter: expect.any(Number) }),
    SIGKILL: withExtensions({ code: 'SUBGRAPH_REQUEST_ERROR' }),
  },
};

export function toGrafbaseError(extensions: object): object {
  return withExtensions({
    code: 'SUBGRAPH_ERROR',
    upstream_extensions: expect.objectContaining(extensions),
  });
}

export function withExtensions(extensions: object): object {
  return { extensions: expect.objectContaining(extensions) };
}

/** The routers that subscribe over event streams. */
export const SSE_ROUTERS: readonly LiveRouter[] = [
  ...HIVE.flatMap((kind): LiveRouter[] => {
    const behaviour = { ...HIVE_BEHAVIOUR, dataOfKey: toDataOfKey(kind) };
    return [
      { name: `${kind.name} by POST`, kind, method: 'POST', ...behaviour },
      {
        name: `${kind.name} by GET`,
        kind: withConfiguration(kind, 'hive-get.js'),
        method: 'GET',
        ...behaviour,
      },
    ];
  }),
  { name: 'Grafbase', kind: GRAFBASE, method: 'POST', ...GRAFBASE_BEHAVIOUR },
];
