import { expect } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import type { EventStream } from '../support/event-stream.ts';
import { createLiveGateway } from '../support/live-gateway.ts';
import { operationCosts } from '../support/operation-costs.ts';
import { type GraphQLResult, KEY_A, KEY_B, NO_RETRIES } from '../support/test-gateway.ts';
import { createTimedGateway, type TimedGateway, untilIdle } from '../support/timed-gateway.ts';

/**
 * The data of one caller never reaches another. Two API keys send the same operations through one
 * gateway, in every way that a response can come about, and neither may receive data that only the
 * other owns. The same check then runs against gateways whose cache keys lack the fingerprint, one
 * module after the other: there it must fail, or it would prove nothing.
 */
export const KEYS = [KEY_A, KEY_B] as const;
export type Key = (typeof KEYS)[number];

export interface TestOperation {
  readonly query: string;
  readonly variables?: Record<string, unknown> | undefined;
}

/**
 * The operations of both API keys. They contain ids of both organizations: each key requests
 * objects of the other.
 */
export function operationsAbout({ sandbox }: Pick<TimedGateway, 'sandbox'>): TestOperation[] {
  const ids = sampleIds(sandbox);
  const ofB = sandbox.control.data(KEY_B);
  const ofBoth = {
    ids: [ids.richCallId, ofB.calls[0]!.id, ids.frenchAssistantId, ofB.campaigns[0]!.id, 'nowhere'],
  };
  return [
    ...operationCosts.map(({ query, variables }) => ({ query, variables: variables?.(ids) })),
    { query: 'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }', variables: ofBoth },
    { query: 'query ($ids: [ID!]!) { calls(ids: $ids) { id toPhoneNumber } }', variables: ofBoth },
    { query: '{ callAttempts(last: 3) { totalCount nodes { id } } }' },
  ];
}

/** A gateway, or a router in front of one, to which both API keys send operations. */
export interface IsolationRun<Gateway = Pick<TimedGateway, 'clock' | 'sandbox'>> {
  readonly gateway: Gateway;
  readonly operations: readonly TestOperation[];
  executeAs(key: Key, operation: TestOperation): Promise<GraphQLResult>;
}

export const PASS_THROUGH = { ...NO_RETRIES, REVOX_API_KEY: '', MAX_UPSTREAM_REQUESTS: '10000' };

export function createIsolationRun(): IsolationRun<TimedGateway> {
  const gateway = createTimedGateway({ settings: PASS_THROUGH });
  return {
    gateway,
    operations: operationsAbout(gateway),
    executeAs: (key, { query, variables }) =>
      gateway.execute(query, variables, { authorization: `Bearer ${key}` }),
  };
}

type Scenario = (run: IsolationRun, execute: (key: Key) => Promise<void>) => Promise<void>;

export const SCENARIOS: { readonly [name: string]: Scenario } = {
  'one after the other': async (_run, execute) => {
    for (const key of [...KEYS, ...KEYS]) await execute(key);
  },
  'at the same time': async (_run, execute) => {
    await Promise.all([...KEYS, ...KEYS].map(execute));
  },
  'while the upstream is unavailable': async ({ gateway }, execute) => {
    await execute(KEY_A);
    gateway.clock.pass(15_000);
    gateway.sandbox.control.reset(() => true);
    await execute(KEY_B);
    gateway.sandbox.control.heal();
    // The longest time for which the circuit breaker stays open.
    gateway.clock.pass(30_000);
    await execute(KEY_B);
    gateway.clock.pass(15_000);
    await untilIdle();
    gateway.sandbox.control.reset(() => true);
    await Promise.all(KEYS.map(execute));
  },
  'during background revalidation': async ({ gateway }, execute) => {
    for (const key of KEYS) await execute(key);
    gateway.clock.pass(31_000);
    // The clock has moved further than a time slice: in the same iteration of the event loop, the
    // scheduler would start one operation after the other.
    await untilIdle();
    await Promise.all(KEYS.map(execute));
    await untilIdle();
    for (const key of KEYS) await execute(key);
  },
};

/** The ids, numbers and names that occur in the data of this API key. */
function markersOf(gateway: IsolationRun['gateway'], key: Key): Set<string> {
  const { calls, attempts, assistants, campaigns } = gateway.sandbox.control.data(key);
  const ids = [...calls, ...attempts, ...assistants, ...campaigns].map(({ id }) => id);
  return new Set([
    ...ids,
    ...calls.map((call) => call.to_phone_number),
    ...assistants.map(({ name }) => name),
  ]);
}

/**
 * Runs one scenario with all operations; returns the data of one API key that the other key
 * received.
 */
export async function findLeaks(
  name: string,
  run: IsolationRun = createIsolationRun(),
): Promise<string[]> {
  const scenario = SCENARIOS[name];
  if (!scenario) throw new Error(`no scenario is called ${name}`);
  const seen: Record<Key, string[]> = { [KEY_A]: [], [KEY_B]: [] };
  for (const operation of run.operations) {
    await scenario(run, async (key) => {
      const { data } = await run.executeAs(key, operation);
      seen[key].push(JSON.stringify(data));
    });
    run.gateway.sandbox.control.heal();
  }
  // An id that the caller sent itself in the variables is no leak.
  const known = JSON.stringify(run.operations.map(({ variables }) => variables));
  const marks = { [KEY_A]: markersOf(run.gateway, KEY_A), [KEY_B]: markersOf(run.gateway, KEY_B) };
  expect(seen[KEY_A].join()).toContain(sampleIds(run.gateway.sandbox).richCallId);
  expect([...marks[KEY_B]].some((mark) => seen[KEY_B].join().includes(mark))).toBe(true);
  return KEYS.flatMap((key) => {
    const other = key === KEY_A ? KEY_B : KEY_A;
    const text = seen[key].join();
    const isIn = createSearch(text);
    return [...marks[other]].filter(
      (mark) =>
        !marks[key].has(mark) && isIn(mark) && (!known.includes(mark) || isVisible(text, mark)),
    );
  });
}

/**
 * Searches megabytes of text for many markers. A marker of one word is looked up in the set of
 * words.
 */
function createSearch(text: string): (mark: string) => boolean {
  const words = new Set(text.split(/[^\w+-]+/));
  return (mark) => (/^[\w+-]+$/.test(mark) ? words.has(mark) : text.includes(mark));
}

/** A requested id appears in the response only as part of an object that was found. */
function isVisible(text: string, id: string): boolean {
  return text.includes(`"id":"${id}"`);
}

/** Each field of subscriptions, with what it follows. */
const SUBSCRIPTIONS = {
  callUpdated: 'subscription ($id: ID!) { callUpdated(id: $id) { id toPhoneNumber } }',
  callsUpdated:
    'subscription ($ids: [ID!]!) { callsUpdated(ids: $ids) { call { id toPhoneNumber } } }',
  callsEnded: 'subscription ($ids: [ID!]!) { callsEnded(ids: $ids) { call { id toPhoneNumber } } }',
  campaignUpdated:
    'subscription ($campaignId: ID!) { campaignUpdated(id: $campaignId) { name rows(first: 9) { nodes { id } } } }',
  callAttemptAdded: 'subscription { callAttemptAdded { node { id phoneNumber } } }',
};

export type SubscriptionField = keyof typeof SUBSCRIPTIONS;

export const SUBSCRIPTION_FIELDS = Object.keys(SUBSCRIPTIONS) as SubscriptionField[];

/**
 * The data of one API key that the other key received in subscriptions with one field: both keys
 * watch objects with the same ids, and calls of both organizations, at the same time, by the same
 * document.
 */
export async function findStreamLeaks(field: SubscriptionField): Promise<string[]> {
  const gateway = createLiveGateway({ settings: PASS_THROUGH });
  const { control } = gateway.sandbox;
  const shared = 'a-call-of-both';
  const campaignId = 'a-campaign-of-both';
  const putAll = (status: 'calling' | 'completed', suffix: string) => {
    for (const key of KEYS) {
      const { campaigns } = control.data(key);
      gateway.putCall({ id: shared, status, to_phone_number: `+${key}${suffix}` }, key);
      const known = campaigns.find(({ id }) => id === campaignId);
      if (!known) campaigns.push({ ...campaigns[0]!, id: campaignId, status: 'running' });
      Object.assign(known ?? campaigns.at(-1)!, { name: `campaign-${key}${suffix}` });
      control.insertAttempts(key, { at: 0, items: [{ phone_number: `+${key}${suffix}` }] });
    }
  };
  putAll('calling', '');
  const ids = [shared, ...KEYS.map((key) => control.data(key).calls[0]!.id)];
  const seen: Record<Key, EventStream[]> = { [KEY_A]: [], [KEY_B]: [] };
  for (const key of KEYS)
    for (const id of field === 'callUpdated' ? ids : [shared])
      seen[key].push(
        await gateway.subscribe(
          SUBSCRIPTIONS[field],
          { id, ids, campaignId },
          { authorization: `Bearer ${key}` },
        ),
      );
  await gateway.pass(5_000);
  putAll('completed', '!');
  await gateway.pass(20_000);
  for (const key of KEYS)
    expect(seen[key].flatMap(({ events }) => events).length).toBeGreaterThan(0);
  return KEYS.flatMap((key) => {
    const other = key === KEY_A ? KEY_B : KEY_A;
    const text = seen[key].map((stream) => stream.text()).join();
    const { calls, attempts, rows } = control.data(other);
    const idsOfOther = [...calls, ...attempts, ...Object.values(rows).flat()].map(({ id }) => id);
    const marks = [...idsOfOther.map((id) => `"id":"${id}"`), other];
    const own = JSON.stringify(control.data(key));
    return [...new Set(marks)].filter((mark) => text.includes(mark) && !own.includes(mark));
  });
}

/** Whether a 404 that one API key received hides the call from the key that owns it. */
export async function isHiddenFromOther(): Promise<boolean> {
  const { gateway, executeAs } = createIsolationRun();
  const { richCallId: id } = sampleIds(gateway.sandbox);
  const operation = {
    query: 'query ($id: ID!) { call(id: $id) { id } node(id: $id) { id } }',
    variables: { id },
  };
  for (const key of KEYS)
    await executeAs(key, { query: '{ callAttempts(first: 1) { nodes { id } } }' });
  for (let time = 0; time < 2; time += 1) await executeAs(KEY_B, operation);
  const { data } = await executeAs(KEY_A, operation);
  return data.call?.id !== id || data.node?.id !== id;
}
