import { describe, expect, test } from 'vitest';
import type { EventStream } from '../support/event-stream.ts';
import { createLiveGateway } from '../support/live-gateway.ts';
import { KEY_A, KEY_B } from '../support/test-gateway.ts';
import { readAccessMatrix } from './access-matrix.ts';
import { TOKEN_LIFETIME_S, toAccessRow } from './access-matrix-words.ts';

const SSE = 'text/event-stream';
const MULTIPART = 'multipart/mixed;subscriptionSpec=1.0';
const SUBSCRIPTION = 'subscription ($id: ID!) { callUpdated(id: $id) { id } }';
const ID = 'c1';
const SECOND = 1_000;
/** After the code of the error that ends a stream. */
const END = ', then the end';

const rows = readAccessMatrix('Mode × credential × secret').map((row) => {
  const request = [row.settings, row.Authorization, row['Router-Authorization']].join(' · ');
  return [`a subscription with ${request} gets ${row.stream}`, row] as const;
});

describe('Streams in the access matrix of docs/reference/access-matrix.md', () => {
  test.each(rows)('%s', async (_title, row) => {
    const access = await toAccessRow(row);
    const sentAuthorizations = new Set<string | null>();
    const gateway = createLiveGateway({
      settings: access.settings,
      // Tokens expire by the real clock, and streams end by the clock of the test.
      gateway: { now: Date.now, fetchKeys: access.fetchKeys },
      upstream: (request) => {
        sentAuthorizations.add(request.headers.get('authorization'));
        return gateway.sandbox.fetch(request);
      },
    });
    for (const apiKey of [KEY_A, KEY_B])
      gateway.putCall({ id: ID, status: 'scheduled', scheduled_at: null }, apiKey);
    const { upstreamStatus: status } = access;
    if (status !== undefined) gateway.sandbox.control.fail(() => true, { status });
    const subscribe = (accept: string) =>
      gateway.subscribe(SUBSCRIPTION, { id: ID }, { accept, ...access.headers });

    const [sse, multipart] = [await subscribe(SSE), await subscribe(MULTIPART)];
    await gateway.pass(SECOND);
    const traffic = gateway.traffic();
    const first = toStreamCell(sse);
    expect(toStreamCell(multipart)).toBe(first);
    if (first === 'events') await gateway.pass((TOKEN_LIFETIME_S + 10) * SECOND);
    const isExpired = first === 'events' && sse.isEnded();

    expect(isExpired ? 'events until the token expires' : first).toBe(row.stream);
    expect(multipart.isEnded()).toBe(sse.isEnded());
    if (isExpired) {
      expect(sse.isComplete()).toBe(false);
      expect(multipart.parts.at(-1)).toContain('"code":"UNAUTHENTICATED"');
    }
    // One poll serves both streams, except where the first one has ended with it. The gateway
    // remembers a key that Revox rejects.
    const polls = first === 'events' || first === `UNAUTHENTICATED${END}` ? 1 : 2;
    const isRejected = sse.body !== undefined;
    expect(traffic).toEqual(Array(isRejected ? 0 : polls).fill(`GET /call/${ID}`));
    expect([...sentAuthorizations]).toEqual(
      access.sentAuthorization === undefined ? [] : [access.sentAuthorization],
    );
    expect(gateway.unexpectedErrors).toEqual([]);
  });
});

/** What a stream has sent, in the words of the table. */
function toStreamCell(stream: EventStream): string {
  const { status, headers, body, events, parts } = stream;
  if (body !== undefined) {
    const challenge = headers.get('www-authenticate') ?? '';
    const reason = /error="(\w+)"/.exec(challenge)?.[1];
    expect(challenge !== '').toBe(status === 401 || reason !== undefined);
    return [status, /"code":"(\w+)"/.exec(body)?.[1], reason].filter(Boolean).join(' ');
  }
  const [code] = [...events, ...parts.map((part) => JSON.parse(part))].flatMap(({ errors = [] }) =>
    errors.map(({ extensions }: ErrorInResult) => extensions.code),
  );
  if (code !== undefined) {
    expect([stream.isComplete(), stream.isEnded()]).toEqual([true, true]);
    return `${code}${END}`;
  }
  expect(events.map(({ data }) => data)).toEqual([{ callUpdated: { id: ID } }]);
  expect(stream.isEnded()).toBe(false);
  return 'events';
}

interface ErrorInResult {
  readonly extensions: { readonly code: string };
}
