import { readFileSync } from 'node:fs';
import type { Environment } from '#config/settings.ts';
import { type Clock, createClock } from '../support/clock.ts';
import { type ServedGateway, serveTestGateway } from '../support/served-gateway.ts';
import type { GraphQLResult } from '../support/test-gateway.ts';
import { compose } from './composers.ts';
import { type ContactsSubgraph, contactsSdl, serveContacts } from './contacts-subgraph.ts';
import { type Recorder, startRecorder } from './recorder.ts';
import { ROUTER_SECRET, type RouterKind, startRouter } from './router-process.ts';

export const subgraphSdl = readFileSync(
  new URL('../../sdl/subgraph.graphql', import.meta.url),
  'utf8',
);

/** The SDL of the gateway, and the SDL of a team whose subgraph refers to it. */
export function toSubgraphs(urls: { readonly revox: string; readonly contacts: string }) {
  return [
    { name: 'revox', url: urls.revox, sdl: subgraphSdl },
    { name: 'contacts', url: urls.contacts, sdl: contactsSdl },
  ];
}

/**
 * A gateway over a sandbox with a clock that the test controls, so that no cache entry expires by
 * itself.
 */
export interface GatewayBehindRouter extends ServedGateway {
  readonly clock: Clock;
}

/** A router over two subgraphs: the gateway, and the subgraph of another team. */
export interface Supergraph extends AsyncDisposable {
  readonly contacts: ContactsSubgraph;
  /** The proxy between router and gateway. */
  readonly recorder: Recorder;
  /** The proxy between gateway and router, for HTTP callbacks. */
  readonly callbacks: Recorder;
  /** The URL of that proxy below which a router has the URLs of its subscriptions. */
  readonly callbackUrl: string;
  /** The URL of the router's GraphQL endpoint. */
  readonly url: string;
  /**
   * Starts a gateway that requires the router's secret. The router sends its requests to the
   * latest gateway.
   */
  serveGateway(settings?: Environment): Promise<GatewayBehindRouter>;
  /** As `serveGateway`, with clocks that run. Live calls are polled every second. */
  serveLiveGateway(settings?: Environment): Promise<ServedGateway>;
  /** Sends one operation to the router. */
  execute(
    query: string,
    variables?: Record<string, unknown>,
    headers?: Record<string, string>,
  ): Promise<GraphQLResult>;
  killRouter(): Promise<void>;
}

/** @param exclude the tags whose elements are hidden from clients */
export async function startSupergraph(
  kind: RouterKind,
  exclude: readonly string[] = [],
): Promise<Supergraph> {
  await using started = new AsyncDisposableStack();
  const contacts = started.use(await serveContacts());
  const recorder = started.use(await startRecorder());
  const callbacks = started.use(await startRecorder());
  const subgraphs = toSubgraphs({ revox: recorder.url, contacts: contacts.url });
  const { supergraphSdl, errors } = await compose(kind.composer, subgraphs, exclude);
  if (supergraphSdl === undefined)
    throw new Error(`The subgraphs do not compose: ${errors.join(' ')}`);
  const callbackUrl = new URL('/callback', callbacks.url).href;
  const router = started.use(await startRouter(kind, supergraphSdl, subgraphs, callbackUrl));
  callbacks.forwardTo(router.url);
  const running = started.move();
  return {
    contacts,
    recorder,
    callbacks,
    callbackUrl,
    url: router.url,
    async serveGateway(settings = {}) {
      const clock = createClock();
      const gateway = await serveTestGateway({
        settings: { ROUTER_SECRETS: ROUTER_SECRET, ...settings },
        sandbox: { now: clock.now },
        gateway: { now: clock.now },
      });
      recorder.forwardTo(gateway.url);
      return { ...gateway, clock };
    },
    async serveLiveGateway(settings = {}) {
      const gateway = await serveTestGateway({
        settings: { ROUTER_SECRETS: ROUTER_SECRET, LIVE_CALL_MS: '1000', ...settings },
      });
      recorder.forwardTo(gateway.url);
      return gateway;
    },
    execute: (query, variables, headers) => executeAt(router.url, query, variables, headers),
    async killRouter() {
      await router[Symbol.asyncDispose]();
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Sends one operation to a router or directly to a gateway. */
export async function executeAt(
  url: string,
  query: string,
  variables: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Promise<GraphQLResult> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
    body: JSON.stringify({ query, variables }),
  });
  return (await response.json()) as GraphQLResult;
}
