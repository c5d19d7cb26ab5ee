import type { Observed, Target } from '../attack.ts';

/** A key that the sandbox knows, and one that it does not. */
export const KNOWN_KEY = 'sk_demo_a';
export const MADE_UP_KEY = 'nobody';

export interface GraphQLParams {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** Sends requests, so many at a time, until the target's signal aborts. @param toBody the body of the n-th request */
export async function attackWith(
  target: Target,
  { key, workers }: { readonly key: string; readonly workers: number },
  toBody: (n: number) => string,
): Promise<Observed> {
  const outcomes: Record<string, number> = {};
  let maxAnswerBytes = 0;
  let count = 0;
  await Promise.all(Array.from({ length: workers }, work));
  return { outcomes, maxAnswerBytes };

  async function work(): Promise<void> {
    while (!target.signal.aborted) {
      const [outcome, bytes] = await send(target, key, toBody(count++));
      if (outcome === undefined) continue;
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      maxAnswerBytes = Math.max(maxAnswerBytes, bytes);
    }
  }
}

async function send(target: Target, key: string, body: string): Promise<readonly [outcome: string | undefined, bytes: number]> {
  try {
    const response = await fetch(target.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body,
      signal: target.signal,
    });
    const text = await response.text();
    return [toOutcome(response.status, text), Buffer.byteLength(text)];
  } catch {
    return [target.signal.aborted ? undefined : 'closed', 0];
  }
}

function toOutcome(status: number, text: string): string {
  try {
    const { errors } = JSON.parse(text) as { errors?: readonly { extensions?: { code?: string } }[] };
    return errors?.[0] ? (errors[0].extensions?.code ?? 'no code') : 'ok';
  } catch {
    return `HTTP ${status}`;
  }
}
