import { afterEach, describe, expect, test, vi } from 'vitest';
import { landmarks } from '#sandbox/landmarks.ts';
import { KEY_A, KEY_B } from '../kit/world.ts';
import { createPlay, leaks, SCENES } from './isolation-scenes.ts';

describe('Not one byte of another’s data, two keys asking the same', () => {
  test.each(Object.keys(SCENES))('%s', async (name) => {
    expect(await leaks(name)).toEqual([]);
  });

  test('nor is what one has looked for in vain missing for the other', async () => {
    const { world, askAs } = createPlay();
    const { richCallId: id } = landmarks(world.sandbox);
    const question = { query: 'query ($id: ID!) { call(id: $id) { id } node(id: $id) { id } }', variables: { id } };
    await askAs(KEY_B, { query: '{ callAttempts(first: 1) { nodes { id } } }' });
    expect((await askAs(KEY_B, question)).data).toEqual({ call: null, node: null });
    expect((await askAs(KEY_B, question)).data).toEqual({ call: null, node: null });
    expect((await askAs(KEY_A, question)).data).toEqual({ call: { id }, node: { id } });
    expect((await askAs(KEY_B, question)).data).toEqual({ call: null, node: null });
  });
});

test('nor does one learn from its own costs what another has seen', async () => {
  const { world, askAs } = createPlay();
  const { richCallId: id } = landmarks(world.sandbox);
  const question = { query: 'query ($id: ID!) { node(id: $id) { id } }', variables: { id } };
  await askAs(KEY_A, question);
  world.traffic();
  await askAs(KEY_B, question);
  expect(world.traffic()).toEqual([`GET /call/${id}`, `GET /assistants/${id}`, `GET /campaigns/${id}`]);
});

describe('The same on a gateway that has lost the fingerprint from one of its keys is found out:', () => {
  afterEach(() => {
    vi.doUnmock('#cache/memory.ts');
    vi.doUnmock('#cache/flights.ts');
    vi.resetModules();
  });

  test('memory', async () => {
    const actual = await import('#cache/memory.ts');
    await expectLeaks(
      '#cache/memory.ts',
      {
        ...actual,
        createMemory(options: Parameters<typeof actual.createMemory>[0]) {
          const memory = actual.createMemory(options);
          return {
            ...memory,
            find: (_: string, key: string) => memory.find('', key),
            keep: (_: string, ...rest: [never, never, never]) => memory.keep('', ...rest),
            accept: (fingerprint: string, ...rest: [number, number]) => {
              memory.accept('', ...rest);
              memory.accept(fingerprint, ...rest);
            },
          };
        },
      },
      'one after the other',
    );
  });

  test('flights', async () => {
    const actual = await import('#cache/flights.ts');
    const withoutOwner = (key: string) => key.slice(key.indexOf(' '));
    await expectLeaks(
      '#cache/flights.ts',
      {
        ...actual,
        createFlights() {
          const flights = actual.createFlights();
          return {
            find: (key: string) => flights.find(withoutOwner(key)),
            start: (key: string, ...rest: [never, never]) => flights.start(withoutOwner(key), ...rest),
          };
        },
      },
      'at the same time',
    );
  });

  test('the fingerprint itself', async () => {
    const actual = await import('#rest/credential.ts');
    class Anybody extends actual.Credential {
      override readonly fingerprint = 'anybody';
    }
    await expectLeaks('#rest/credential.ts', { ...actual, Credential: Anybody }, 'one after the other');
  });

  async function expectLeaks(module: string, broken: object, scene: string): Promise<void> {
    vi.doMock(module, () => broken);
    vi.resetModules();
    const { leaks: leaksWhenBroken } = await import('./isolation-scenes.ts');
    expect(await leaksWhenBroken(scene)).not.toEqual([]);
  }
});
