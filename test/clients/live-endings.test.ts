import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readTable } from '../support/markdown-table.ts';
import { KEY_A } from '../support/test-gateway.ts';
import { type CompiledRelayApp, compileRelayApp } from './compile-relay.ts';
import { CALL_ID, createScene, ENDINGS, PATH } from './endings.ts';
import { describeResult, LIVE_CLIENTS } from './live-clients.ts';

/** The table says what each client does. */
const PAGE = readFileSync(new URL('../../docs/guides/live-calls.md', import.meta.url), 'utf8');
const COLUMN = 'what happens';

/** Between two connections of a client. The shortest pause is a second, less what a busy machine takes. */
const MIN_PAUSE_MS = 500;

let relayApp: CompiledRelayApp;
beforeAll(async () => {
  relayApp = await compileRelayApp();
});
afterAll(() => relayApp[Symbol.asyncDispose]());

const cells = Object.keys(LIVE_CLIENTS).flatMap((transport) =>
  readTable(PAGE, transport).flatMap(({ [COLUMN]: name = '', ...outcomes }) =>
    Object.entries(outcomes).flatMap(([clients, outcome]) =>
      clients.split(', ').map((client) => ({ transport, name, client, outcome })),
    ),
  ),
);

/** What an application sees, by the words of the table. */
type Outcome = (ending: { readonly code: string; readonly isOver: boolean }) => readonly unknown[];
const SUBSCRIBED_AGAIN = ['QUEUED_FOR_CALLING', 'COMPLETED', 'complete'];
const WENT_ON = SUBSCRIBED_AGAIN;
/** An error of the gateway, or one of the library. */
const anError = (code: string): unknown => expect.toBeOneOf([code, 'error']);
const OUTCOMES: Readonly<Record<string, Outcome>> = {
  completes: ({ isOver }) => (isOver ? ['COMPLETED', 'complete'] : ['complete']),
  'error, completes': ({ code }) => [anError(code), 'complete'],
  reconnects: () => SUBSCRIBED_AGAIN,
  'error, reconnects': ({ code }) => [code, ...SUBSCRIBED_AGAIN],
  'null, completes': () => ['null', 'complete'],
  'null, reconnects': () => ['null', ...SUBSCRIBED_AGAIN],
  error: ({ code }) => [anError(code)],
  'goes on': () => WENT_ON,
  'error, goes on': ({ code }) => [code, ...WENT_ON],
  'data and error, goes on': ({ code }) => [`CALLING ${code}`, ...WENT_ON],
};

describe.concurrent('Tables "How a subscription ends" of docs/guides/live-calls.md', () => {
  test.each(cells.filter(({ outcome }) => outcome !== '–'))(
    '$transport: when $name, $client $outcome',
    async ({ transport, name, client, outcome }) => {
      const ending = toMeaning(ENDINGS, name);
      const isService = client === 'EventSource';
      await using scene = await createScene(ending, isService ? KEY_A : '');
      const { gateway, forwarder } = scene;
      const startedAt = gateway.now();
      const { isAtDoor = false, goesOn = false, paths = [PATH] } = ending;
      const isMultipart = client === 'Apollo Client' && transport !== 'Over WebSocket';
      const end = (isMultipart && ending.multipartEnd) || ending.end;
      const { code = '', serviceCode = code } = ending;
      const isOver = end === 'over' && !goesOn;
      const expected = [
        ...(isAtDoor ? [] : ['CALLING']),
        ...toMeaning(OUTCOMES, outcome)({ code: isService ? serviceCode : code, isOver }),
      ];
      const log: string[] = [];
      const add = (entry: string) => {
        // An application shows a state, not how often it was sent.
        if (log.at(-1) !== entry) log.push(entry);
      };
      // urql reports no end after an error of the gateway.
      const isEnded = () =>
        ['complete', 'error'].includes(log.at(-1) ?? '') || log.length >= expected.length;

      if (isAtDoor) await ending.cause(scene);
      const stop = toMeaning(
        LIVE_CLIENTS[transport] ?? {},
        client,
      )({
        url: scene.url,
        readToken: scene.readToken,
        id: CALL_ID,
        relayApp,
        observer: {
          next: (result) => add(describeResult(result as object)),
          error: () => add('error'),
          complete: () => add('complete'),
        },
      });
      const change = { status: 'queued_for_calling', metadata: null, campaign: null } as const;
      if (isAtDoor) {
        await gateway.passUntil(() => gateway.ends.includes(end));
        if (!isOver) gateway.putCall({ id: CALL_ID, ...change });
        await ending.mend?.(scene);
      } else {
        await gateway.until(() => log.length > 0);
        await ending.cause(scene);
        // What happens while a client is away is in the first event of its next subscription.
        if (!isOver) scene.gateway.putCall({ id: CALL_ID, ...change });
      }
      await scene.gateway.awaitClient(() => isEnded() || log.includes('QUEUED_FOR_CALLING'));
      scene.gateway.putCall({ id: CALL_ID, status: 'completed' });
      await scene.gateway.passUntil(isEnded);
      stop();

      // One poll an interval, also while a client comes and goes. And none for a client that is gone.
      const polls = scene.gateways.flatMap((each) => each.traffic());
      expect(polls.filter((poll) => !paths.includes(poll.replace('GET ', '')))).toEqual([]);
      const seconds = (scene.gateway.now() - startedAt) / 1_000;
      expect(polls.length).toBeLessThanOrEqual((seconds / 1.8 + 3) * paths.length);
      await scene.gateway.pass(30_000);
      expect(scene.gateway.traffic()).toEqual([]);

      expect(log).toEqual(expected);
      // The upgrade to a WebSocket has a status, too.
      const ends = scene.gateways.flatMap((each) => each.ends).filter((each) => each !== '101');
      expect(ends[0]).toBe(end);
      if (log.includes('COMPLETED')) expect(ends.at(-1)).toBe('over');
      // Many clients whose streams end together do not come back at once.
      expect(forwarder.pauses.filter((pause) => pause < MIN_PAUSE_MS)).toEqual([]);
      if (!log.includes('QUEUED_FOR_CALLING')) expect(forwarder.pauses).toHaveLength(1);
    },
  );

  test.each(Object.entries(LIVE_CLIENTS))(
    '%s: the table has a row for each ending, and a column for each client',
    (transport, clients) => {
      const present = cells.filter((cell) => cell.transport === transport);
      const names = present.map(({ name }) => name);
      expect(new Set(names)).toEqual(new Set(Object.keys(ENDINGS)));
      const columns = present.map(({ client }) => client);
      expect(new Set(columns)).toEqual(new Set(Object.keys(clients)));
    },
  );
});

/** An unknown word fails the cell. */
function toMeaning<T>(words: Readonly<Record<string, T>>, word: string): T {
  const meaning = words[word];
  if (meaning === undefined) throw new Error(`docs/guides/live-calls.md: unknown word "${word}"`);
  return meaning;
}
