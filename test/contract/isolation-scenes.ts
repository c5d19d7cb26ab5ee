import { expect } from 'vitest';
import { landmarks } from '#sandbox/landmarks.ts';
import { namedOperations } from '../kit/named-operations.ts';
import { createTimedWorld, type TimedWorld, untilIdle } from '../kit/timed-world.ts';
import { type Answer, KEY_A, KEY_B, ONE_TRY } from '../kit/world.ts';

/**
 * One caller's data never reaches another. Two keys ask the same through one gateway, in every way that an answer can come: neither may
 * be told anything that only the other has. The same is then tried on gateways whose keys have lost the fingerprint, one place
 * after the other: there it has to fail, or it would prove nothing.
 */
export const KEYS = [KEY_A, KEY_B] as const;
export type Key = (typeof KEYS)[number];

export interface Question {
  readonly query: string;
  readonly variables?: Record<string, unknown> | undefined;
}

/** What both ask: ids of both organisations, so that each is tempted with the other's. */
export function questionsAbout({ sandbox }: Pick<TimedWorld, 'sandbox'>): Question[] {
  const ids = landmarks(sandbox);
  const ofB = sandbox.control.data(KEY_B);
  const ofBoth = { ids: [ids.richCallId, ofB.calls[0]!.id, ids.frenchAssistantId, ofB.campaigns[0]!.id, 'nowhere'] };
  return [
    ...namedOperations.map(({ query, variables }) => ({ query, variables: variables?.(ids) })),
    { query: 'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }', variables: ofBoth },
    { query: 'query ($ids: [ID!]!) { calls(ids: $ids) { id toPhoneNumber } }', variables: ofBoth },
    { query: '{ callAttempts(last: 3) { totalCount nodes { id } } }' },
  ];
}

/** What the keys play on: a gateway, or whatever has one behind it. */
export interface Play<World = Pick<TimedWorld, 'clock' | 'sandbox'>> {
  readonly world: World;
  readonly questions: readonly Question[];
  askAs(key: Key, question: Question): Promise<Answer>;
}

export const PASS_THROUGH = { ...ONE_TRY, REVOX_API_KEY: '', MAX_UPSTREAM_REQUESTS: '10000' };

export function createPlay(): Play<TimedWorld> {
  const world = createTimedWorld({ settings: PASS_THROUGH });
  return {
    world,
    questions: questionsAbout(world),
    askAs: (key, { query, variables }) => world.ask(query, variables, { authorization: `Bearer ${key}` }),
  };
}

type Scene = (play: Play, ask: (key: Key) => Promise<void>) => Promise<void>;

export const SCENES: { readonly [name: string]: Scene } = {
  'one after the other': async (_play, ask) => {
    for (const key of [...KEYS, ...KEYS]) await ask(key);
  },
  'at the same time': async (_play, ask) => {
    await Promise.all([...KEYS, ...KEYS].map(ask));
  },
  'while the upstream is off': async ({ world }, ask) => {
    await ask(KEY_A);
    world.clock.pass(15_000);
    world.sandbox.control.reset(() => true);
    await ask(KEY_B);
    world.sandbox.control.heal();
    // As long as the breaker keeps requests back at the most.
    world.clock.pass(30_000);
    await ask(KEY_B);
    world.clock.pass(15_000);
    await untilIdle();
    world.sandbox.control.reset(() => true);
    await Promise.all(KEYS.map(ask));
  },
  'while it is fetched anew in the background': async ({ world }, ask) => {
    for (const key of KEYS) await ask(key);
    world.clock.pass(31_000);
    // In a turn of the event loop in which so much time has passed, one would begin after the other.
    await untilIdle();
    await Promise.all(KEYS.map(ask));
    await untilIdle();
    for (const key of KEYS) await ask(key);
  },
};

/** Everything that tells of one organisation and of nobody else. */
function marksOf(world: Play['world'], key: Key): Set<string> {
  const { calls, attempts, assistants, campaigns } = world.sandbox.control.data(key);
  const ids = [...calls, ...attempts, ...assistants, ...campaigns].map(({ id }) => id);
  return new Set([...ids, ...calls.map((call) => call.to_phone_number), ...assistants.map(({ name }) => name)]);
}

/** What one has been told that is only the other's, in one scene of all questions. */
export async function leaks(name: string, play: Play = createPlay()): Promise<string[]> {
  const scene = SCENES[name];
  if (!scene) throw new Error(`no scene is called ${name}`);
  const told: Record<Key, string[]> = { [KEY_A]: [], [KEY_B]: [] };
  for (const question of play.questions) {
    await scene(play, async (key) => {
      const { data } = await play.askAs(key, question);
      told[key].push(JSON.stringify(data));
    });
    play.world.sandbox.control.heal();
  }
  // What the asker knew, having asked for it by its id, it was not told.
  const known = JSON.stringify(play.questions.map(({ variables }) => variables));
  const marks = { [KEY_A]: marksOf(play.world, KEY_A), [KEY_B]: marksOf(play.world, KEY_B) };
  expect(told[KEY_A].join()).toContain(landmarks(play.world.sandbox).richCallId);
  expect([...marks[KEY_B]].some((mark) => told[KEY_B].join().includes(mark))).toBe(true);
  return KEYS.flatMap((key) => {
    const other = key === KEY_A ? KEY_B : KEY_A;
    const text = told[key].join();
    const isIn = createSearch(text);
    return [...marks[other]].filter(
      (mark) => !marks[key].has(mark) && isIn(mark) && (!known.includes(mark) || isTold(text, mark)),
    );
  });
}

/** Looks for many marks in megabytes: those that are one word each, among its words. */
function createSearch(text: string): (mark: string) => boolean {
  const words = new Set(text.split(/[^\w+-]+/));
  return (mark) => (/^[\w+-]+$/.test(mark) ? words.has(mark) : text.includes(mark));
}

/** An id that was asked for comes back only in an object that was found. */
function isTold(text: string, id: string): boolean {
  return text.includes(`"id":"${id}"`);
}

/** Whether a call that one has looked for in vain is missing, then, for the one whose it is. */
export async function isMissingForOther(): Promise<boolean> {
  const { world, askAs } = createPlay();
  const { richCallId: id } = landmarks(world.sandbox);
  const question = { query: 'query ($id: ID!) { call(id: $id) { id } node(id: $id) { id } }', variables: { id } };
  for (const key of KEYS) await askAs(key, { query: '{ callAttempts(first: 1) { nodes { id } } }' });
  for (let time = 0; time < 2; time += 1) await askAs(KEY_B, question);
  const { data } = await askAs(KEY_A, question);
  return data.call?.id !== id || data.node?.id !== id;
}
