import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { landmarks } from '#sandbox/landmarks.ts';
import { KEY_A, KEY_B } from '../kit/world.ts';
import { createPlay, isMissingForOther, leaks, SCENES } from './isolation-scenes.ts';

describe('Not one byte of another’s data, two keys asking the same', () => {
  test.each(Object.keys(SCENES))('%s', async (name) => {
    expect(await leaks(name)).toEqual([]);
  });

  test('nor is what one has looked for in vain missing for the other', async () => {
    expect(await isMissingForOther()).toBe(false);
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
  const all = Object.keys(SCENES);

  describe.each([
    ['#cache/memory.ts', all],
    ['#rest/credential.ts', all],
    // What is in the air is shared only by those who ask at the same time.
    ['#cache/flights.ts', ['at the same time', 'while it is fetched anew in the background']],
  ] as const)('%s', (module, scenes) => {
    let broken: typeof import('./isolation-scenes.ts');
    beforeAll(async () => {
      const withoutFingerprint = await BROKEN[module]();
      vi.doMock(module, () => withoutFingerprint);
      vi.resetModules();
      broken = await import('./isolation-scenes.ts');
    });
    afterAll(() => {
      vi.doUnmock(module);
      vi.resetModules();
    });

    test.each(scenes)('%s', async (scene) => {
      expect(await broken.leaks(scene)).not.toEqual([]);
    });

    if (module !== '#cache/memory.ts') return;
    test('of what is not there', async () => {
      expect(await broken.isMissingForOther()).toBe(true);
    });
  });
});

/** The rooms' modules, with one fingerprint for all. */
const BROKEN = {
  async '#cache/memory.ts'() {
    const actual = await import('#cache/memory.ts');
    return {
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
    };
  },
  async '#cache/flights.ts'() {
    const actual = await import('#cache/flights.ts');
    const withoutOwner = (key: string) => key.slice(key.indexOf(' '));
    return {
      ...actual,
      createFlights() {
        const flights = actual.createFlights();
        return {
          find: (key: string) => flights.find(withoutOwner(key)),
          start: (key: string, ...rest: [never, never]) => flights.start(withoutOwner(key), ...rest),
        };
      },
    };
  },
  async '#rest/credential.ts'() {
    const actual = await import('#rest/credential.ts');
    class Anybody extends actual.Credential {
      override readonly fingerprint = 'anybody';
    }
    return { ...actual, Credential: Anybody };
  },
};
