import { expect } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { operationCosts } from '../support/operation-costs.ts';
import { type GraphQLResult, KEY_A, KEY_B, NO_RETRIES } from '../support/test-gateway.ts';
import { createTimedGateway, type TimedGateway, untilIdle } from '../support/timed-gateway.ts';

/**
 * One caller's data never reaches another. Two keys ask the same through one gateway, in every way that an answer can come: neither may
 * be told anything that only the other has. The same is then tried on gateways whose keys have lost the fingerprint, one place
 * after the other: there it has to fail, or it would prove nothing.
 */
export const KEYS = [KEY_A, KEY_B] as const;
export type Key = (typeof KEYS)[number];

export interface TestOperation {
  readonly query: string;
  readonly variables?: Record<string, unknown> | undefined;
}

/** What both ask: ids of both organisations, so that each is tempted with the other's. */
export function operationsAbout({ sandbox }: Pick<TimedGateway, 'sandbox'>): TestOperation[] {
  const ids = sampleIds(sandbox);
  const ofB = sandbox.control.data(KEY_B);
  const ofBoth = { ids: [ids.richCallId, ofB.calls[0]!.id, ids.frenchAssistantId, ofB.campaigns[0]!.id, 'nowhere'] };
  return [
    ...operationCosts.map(({ query, variables }) => ({ query, variables: variables?.(ids) })),
    { query: 'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }', variables: ofBoth },
    { query: 'query ($ids: [ID!]!) { calls(ids: $ids) { id toPhoneNumber } }', variables: ofBoth },
    { query: '{ callAttempts(last: 3) { totalCount nodes { id } } }' },
  ];
}

/** What the keys play on: a gateway, or whatever has one behind it. */
export interface IsolationRun<World = Pick<TimedGateway, 'clock' | 'sandbox'>> {
  readonly gateway: World;
  readonly operations: readonly TestOperation[];
  executeAs(key: Key, operation: TestOperation): Promise<GraphQLResult>;
}

export const PASS_THROUGH = { ...NO_RETRIES, REVOX_API_KEY: '', MAX_UPSTREAM_REQUESTS: '10000' };

export function createIsolationRun(): IsolationRun<TimedGateway> {
  const gateway = createTimedGateway({ settings: PASS_THROUGH });
  return {
    gateway,
    operations: operationsAbout(gateway),
    executeAs: (key, { query, variables }) => gateway.execute(query, variables, { authorization: `Bearer ${key}` }),
  };
}

type Scenario = (play: IsolationRun, ask: (key: Key) => Promise<void>) => Promise<void>;

export const SCENARIOS: { readonly [name: string]: Scenario } = {
  'one after the other': async (_play, ask) => {
    for (const key of [...KEYS, ...KEYS]) await ask(key);
  },
  'at the same time': async (_play, ask) => {
    await Promise.all([...KEYS, ...KEYS].map(ask));
  },
  'while the upstream is off': async ({ gateway }, ask) => {
    await ask(KEY_A);
    gateway.clock.pass(15_000);
    gateway.sandbox.control.reset(() => true);
    await ask(KEY_B);
    gateway.sandbox.control.heal();
    // As long as the breaker keeps requests back at the most.
    gateway.clock.pass(30_000);
    await ask(KEY_B);
    gateway.clock.pass(15_000);
    await untilIdle();
    gateway.sandbox.control.reset(() => true);
    await Promise.all(KEYS.map(ask));
  },
  'while it is fetched anew in the background': async ({ gateway }, ask) => {
    for (const key of KEYS) await ask(key);
    gateway.clock.pass(31_000);
    // In a turn of the event loop in which so much time has passed, one would begin after the other.
    await untilIdle();
    await Promise.all(KEYS.map(ask));
    await untilIdle();
    for (const key of KEYS) await ask(key);
  },
};

/** Everything that tells of one organisation and of nobody else. */
function markersOf(gateway: IsolationRun['gateway'], key: Key): Set<string> {
  const { calls, attempts, assistants, campaigns } = gateway.sandbox.control.data(key);
  const ids = [...calls, ...attempts, ...assistants, ...campaigns].map(({ id }) => id);
  return new Set([...ids, ...calls.map((call) => call.to_phone_number), ...assistants.map(({ name }) => name)]);
}

/** What one has been told that is only the other's, in one scene of all questions. */
export async function findLeaks(name: string, play: IsolationRun = createIsolationRun()): Promise<string[]> {
  const scene = SCENARIOS[name];
  if (!scene) throw new Error(`no scene is called ${name}`);
  const seen: Record<Key, string[]> = { [KEY_A]: [], [KEY_B]: [] };
  for (const question of play.operations) {
    await scene(play, async (key) => {
      const { data } = await play.executeAs(key, question);
      seen[key].push(JSON.stringify(data));
    });
    play.gateway.sandbox.control.heal();
  }
  // What the asker knew, having asked for it by its id, it was not told.
  const known = JSON.stringify(play.operations.map(({ variables }) => variables));
  const marks = { [KEY_A]: markersOf(play.gateway, KEY_A), [KEY_B]: markersOf(play.gateway, KEY_B) };
  expect(seen[KEY_A].join()).toContain(sampleIds(play.gateway.sandbox).richCallId);
  expect([...marks[KEY_B]].some((mark) => seen[KEY_B].join().includes(mark))).toBe(true);
  return KEYS.flatMap((key) => {
    const other = key === KEY_A ? KEY_B : KEY_A;
    const text = seen[key].join();
    const isIn = createSearch(text);
    return [...marks[other]].filter(
      (mark) => !marks[key].has(mark) && isIn(mark) && (!known.includes(mark) || isVisible(text, mark)),
    );
  });
}

/** Looks for many marks in megabytes: those that are one word each, among its words. */
function createSearch(text: string): (mark: string) => boolean {
  const words = new Set(text.split(/[^\w+-]+/));
  return (mark) => (/^[\w+-]+$/.test(mark) ? words.has(mark) : text.includes(mark));
}

/** An id that was asked for comes back only in an object that was found. */
function isVisible(text: string, id: string): boolean {
  return text.includes(`"id":"${id}"`);
}

/** Whether a call that one has looked for in vain is missing, then, for the one whose it is. */
export async function isHiddenFromOther(): Promise<boolean> {
  const { gateway, executeAs } = createIsolationRun();
  const { richCallId: id } = sampleIds(gateway.sandbox);
  const question = { query: 'query ($id: ID!) { call(id: $id) { id } node(id: $id) { id } }', variables: { id } };
  for (const key of KEYS) await executeAs(key, { query: '{ callAttempts(first: 1) { nodes { id } } }' });
  for (let time = 0; time < 2; time += 1) await executeAs(KEY_B, question);
  const { data } = await executeAs(KEY_A, question);
  return data.call?.id !== id || data.node?.id !== id;
}
