import { Agent, type IncomingMessage, request } from 'node:http';
import type { Observed, Target } from '../attack.ts';

/** A key that the sandbox knows, and one that it does not. */
export const KNOWN_KEY = 'sk_demo_a';
export const MADE_UP_KEY = 'sk_made_up';

/** The parameters of a request. */
export interface GraphQLParams {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** The outcomes that the attacker observed, counted. */
export interface OutcomeTally {
  record(outcome: string, bytes?: number): void;
  observed(): Observed;
}

export function createOutcomeTally(): OutcomeTally {
  const outcomes: Record<string, number> = {};
  let maxResponseBytes = 0;
  return {
    record(outcome, bytes = 0) {
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      maxResponseBytes = Math.max(maxResponseBytes, bytes);
    },
    observed: () => ({ outcomes, maxResponseBytes }),
  };
}

/** Runs this number of workers concurrently; each repeats its action until the signal aborts. */
export async function repeat(
  { signal }: Target,
  workers: number,
  act: (worker: number, round: number) => Promise<void>,
): Promise<void> {
  await Promise.all(
    Array.from({ length: workers }, async (_, worker) => {
      for (let round = 0; !signal.aborted; round += 1) await act(worker, round);
    }),
  );
}

/** Sends requests with this number of workers until the signal aborts. @param next the key and the parameters, or the text, of the n-th request */
export async function attackWith(
  target: Target,
  workers: number,
  next: (n: number) => { readonly key: string; readonly body: GraphQLParams | string },
): Promise<Observed> {
  const tally = createOutcomeTally();
  let count = 0;
  await repeat(target, workers, () => {
    const { key, body } = next(count);
    count += 1;
    return sendOperation(target, tally, key, body);
  });
  return tally.observed();
}

/** Waits for this time, or until the signal aborts. */
export function pause({ signal }: Target, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener('abort', () => resolve(), { once: true });
  return promise.finally(() => clearTimeout(timer));
}

const agent = new Agent({ keepAlive: true, maxSockets: 1_000 });

/**
 * Sends an operation, reads the complete response, and records the outcome.
 * @param body the parameters, or the text of the body
 * @param moreHeaders over those of a JSON request
 */
export async function sendOperation(
  target: Target,
  tally: OutcomeTally,
  key: string,
  body: object | string,
  moreHeaders: Readonly<Record<string, string>> = {},
): Promise<void> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const headers = {
    authorization: `Bearer ${key}`,
    'content-type': 'application/json',
    accept: 'application/json',
    'content-length': Buffer.byteLength(text),
    ...moreHeaders,
  };
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = (outcome: string | undefined, bytes?: number) => {
    if (outcome !== undefined && !target.signal.aborted) tally.record(outcome, bytes);
    resolve();
  };
  const sending = request(target.url, { method: 'POST', headers, agent, signal: target.signal });
  sending.on('error', () => end('closed'));
  sending.on('response', (response: IncomingMessage) => {
    let start = '';
    let bytes = 0;
    response.on('data', (part: Buffer) => {
      // The first error is at the start of the body.
      if (start.length < 4_096) start += part.toString('latin1');
      bytes += part.byteLength;
    });
    response.on('end', () => end(toOutcome(start, response.statusCode ?? 0), bytes));
    response.on('error', () => end('closed'));
  });
  sending.end(text);
  await promise;
}

/** @param start the start of the body */
export function toOutcome(start: string, status: number): string {
  if (start.startsWith('{"data"')) return 'ok';
  return /"code":"(\w+)"/.exec(start)?.[1] ?? `HTTP ${status}`;
}
