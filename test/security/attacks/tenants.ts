import { request } from 'node:http';
import type { Attack, Observed, Target } from '../attack.ts';
import { attackWith, createOutcomeTally, KNOWN_KEY, repeat, toOutcome } from './requests.ts';

const operationsOf = ({ outcomes }: Observed) =>
  Object.values(outcomes).reduce((sum, times) => sum + times, 0);

/** One campaign with its rows by default, and twenty for null: ten times `MAX_COST`. */
const CAMPAIGNS =
  'query ($n: Int = 1) { campaigns(first: $n) { nodes { rows(first: 100) { nodes { id } } } } }';

/** The other tenant's response is cached, so it causes few upstream requests. */
const MAX_OF_NEIGHBOUR = 5;

const HOSTS = [
  'user@localhost',
  'user:secret@127.0.0.1',
  '@localhost',
  'localhost@evil.test',
  'evil.test',
  'localhost.evil.test',
];

async function sendWithHosts(target: Target): Promise<Observed> {
  const tally = createOutcomeTally();
  await repeat(target, 2, async (_worker, round) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const headers = { host: HOSTS[round % HOSTS.length] ?? '', 'content-type': 'application/json' };
    const sending = request(
      target.url,
      { method: 'POST', headers, signal: target.signal },
      (response) => {
        let text = '';
        response.on('data', (part: Buffer) => {
          text += part.toString('latin1');
        });
        response.on('end', () =>
          resolve(tally.record(toOutcome(text, response.statusCode ?? 0), text.length)),
        );
      },
    );
    sending.on('error', () => resolve());
    sending.end('{"query":"{ assistants(first: 1) { nodes { id } } }"}');
    await promise;
  });
  return tally.observed();
}

export const attacks: readonly Attack[] = [
  {
    name: 'An absent variable and null alternately: null costs ten times the limit',
    bound: '`MAX_COST`, computed for each',
    settings: { MAX_COST: '1000' },
    run: (target) =>
      attackWith(target, 2, (n) => ({
        key: KNOWN_KEY,
        body: { query: CAMPAIGNS, variables: n % 2 === 0 ? {} : { n: null } },
      })),
    outcomes: ['ok', 'OPERATION_TOO_COMPLEX'],
  },
  {
    name: "One object for which the upstream rejects the gateway's own key (403), requested repeatedly, in service mode",
    bound: 'a 403 for one object drops no cache entry',
    settings: { REVOX_API_KEY: KNOWN_KEY },
    respond: (received) =>
      new URL(received.url).pathname.endsWith('/call/refused')
        ? Response.json({ error: 'Forbidden' }, { status: 403 })
        : undefined,
    run: (target) =>
      attackWith(target, 2, () => ({
        key: KNOWN_KEY,
        body: { query: '{ call(id: "refused") { id } }' },
      })),
    maxUpstreamRequests: (observed) => operationsOf(observed) + MAX_OF_NEIGHBOUR,
    outcomes: ['UPSTREAM_REJECTED'],
  },
  {
    name: '`Host` headers with user information and of other sites, in service mode',
    bound:
      'a gateway that requires no credential accepts only `localhost`, `127.0.0.1` and `[::1]`',
    settings: { REVOX_API_KEY: KNOWN_KEY },
    run: sendWithHosts,
    maxUpstreamRequests: () => MAX_OF_NEIGHBOUR,
    outcomes: ['FORBIDDEN'],
  },
];
