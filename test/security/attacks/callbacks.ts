import { createServer, type ServerResponse } from 'node:http';
import type { Attack, Observed, Target } from '../attack.ts';
import {
  createOutcomeTally,
  KNOWN_KEY,
  type OutcomeTally,
  pause,
  repeat,
  sendOperation,
} from './requests.ts';
import { MAX_POLLS, respondLive, watch } from './streams.ts';

const SECRET = 'a-router-secret-of-32-characters';
const ROUTER_HEADERS = { 'router-authorization': SECRET };

/** The attacker's router takes the first free one of these ports. */
const PORTS = Array.from({ length: 20 }, (_, n) => 31_900 + n);
const toUrl = (port: number) => `http://127.0.0.1:${port}/callback`;

const CHUNK = Buffer.alloc(65_536, 'x');

/** A body that ends with the connection. */
function pour(response: ServerResponse): void {
  response.writeHead(200);
  const write = () => {
    while (!response.destroyed && response.write(CHUNK));
  };
  response.on('drain', write);
  write();
}

/** What the router does with a message, by the first segment of the path. */
const BEHAVIOURS: { readonly [name: string]: (response: ServerResponse) => void } = {
  stall: () => {},
  redirect: (response) => response.writeHead(307, { location: '/elsewhere' }).end(),
  pour,
  headers: (response) => response.writeHead(204, { 'x-large': 'x'.repeat(100_000) }).end(),
  reset: (response) => response.socket?.resetAndDestroy(),
  refuse: (response) => response.writeHead(404).end(),
  fail: (response) => response.writeHead(500).end(),
  accept: (response) => response.writeHead(204).end(),
};

/** Starts the router. A request that follows a redirect has the outcome `redirected`. */
async function startRouter(tally: OutcomeTally): Promise<{ url: string; close: () => void }> {
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (part) => {
      text += part;
    });
    request.on('end', () => {
      if (request.url === '/elsewhere') tally.record('redirected');
      const [, , when = '', name = ''] = request.url?.split('/') ?? [];
      const isLater = when === 'later' && text.includes('"action":"check"');
      (isLater ? BEHAVIOURS.accept : BEHAVIOURS[name])?.(response);
    });
  });
  for (const port of PORTS) {
    const isListening = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (isListening) return { url: toUrl(port), close: () => server.closeAllConnections() };
  }
  throw new Error('The router of the attack finds no free port.');
}

/** URLs that a careless comparison takes for permitted ones. */
const toForgedUrls = (url: string) => [
  url.replace('127.0.0.1', '127.0.0.1@169.254.169.254'),
  url.replace('127.0.0.1', '127.0.0.1.evil.test'),
  url.replace('127.0.0.1', '[::ffff:127.0.0.1]'),
  url.replace('127.0.0.1', '2852039166'),
  `${url}/../elsewhere`,
  `${url}/..%2felsewhere`,
  `${url}s/x`,
  `${url}?x`,
];

async function subscribe(target: Target): Promise<Observed> {
  const tally = createOutcomeTally();
  const router = await startRouter(tally);
  const names = Object.keys(BEHAVIOURS);
  await repeat(target, 4 * names.length, async (worker, round) => {
    const name = names[worker % names.length] ?? '';
    // Half of the routers misbehave at the first check, the others afterwards.
    const when = worker % 2 === 0 ? 'now' : 'later';
    const forged = toForgedUrls(router.url);
    const callbackUrl =
      round % 4 === 3 ? forged[round % forged.length] : `${router.url}/${when}/${name}`;
    const subscription = {
      callbackUrl,
      subscriptionId: `${worker}-${round}`,
      verifier: 'x',
      heartbeatIntervalMs: 1_000,
    };
    const body = { ...watch(`live-${worker % 20}`), extensions: { subscription } };
    const headers = { ...ROUTER_HEADERS, accept: 'application/json;callbackSpec=1.0' };
    await sendOperation(target, tally, KNOWN_KEY, body, headers);
    await pause(target, 10);
  });
  router.close();
  return tally.observed();
}

export const attacks: readonly Attack[] = [
  {
    name: 'A router whose callback URLs stall, redirect, refuse, fail, reset, or send endless bodies, 32 at a time',
    bound:
      '5 s and 16 KiB of a response to each message, 128 connections to a router; three failures in a row end a subscription; no redirects; only `SUBSCRIPTION_CALLBACK_URLS`',
    settings: {
      ROUTER_SECRETS: SECRET,
      SUBSCRIPTION_CALLBACK_URLS: PORTS.map(toUrl).join(','),
    },
    headers: ROUTER_HEADERS,
    respond: respondLive,
    run: subscribe,
    maxUpstreamRequests: () => MAX_POLLS,
    outcomes: ['ok', 'BAD_USER_INPUT', 'FORBIDDEN', 'RATE_LIMITED'],
  },
];
