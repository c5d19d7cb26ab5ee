import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { KEY_A, KEY_B } from '../support/test-gateway.ts';
import { createIsolationRun, findLeaks, isHiddenFromOther, SCENARIOS } from './isolation-scenarios.ts';

describe('Not one byte of another’s data, two keys asking the same', () => {
  test.each(Object.keys(SCENARIOS))('%s', async (name) => {
    expect(await findLeaks(name)).toEqual([]);
  });

  test('nor is what one has looked for in vain missing for the other', async () => {
    expect(await isHiddenFromOther()).toBe(false);
  });
});

test('nor does one learn from its own costs what another has seen', async () => {
  const { gateway, executeAs } = createIsolationRun();
  const { richCallId: id } = sampleIds(gateway.sandbox);
  const question = { query: 'query ($id: ID!) { node(id: $id) { id } }', variables: { id } };
  await executeAs(KEY_A, question);
  gateway.traffic();
  await executeAs(KEY_B, question);
  expect(gateway.traffic()).toEqual([`GET /call/${id}`, `GET /assistants/${id}`, `GET /campaigns/${id}`]);
});

describe('The same on a gateway that has lost the fingerprint from one of its keys is found out:', () => {
  const all = Object.keys(SCENARIOS);

  describe.each([
    ['#cache/memory-store.ts', all],
    ['#rest/credential.ts', all],
    // What is in the air is shared only by those who ask at the same time.
    ['#cache/single-flight.ts', ['at the same time', 'while it is fetched anew in the background']],
  ] as const)('%s', (module, scenes) => {
    let broken: typeof import('./isolation-scenarios.ts');
    beforeAll(async () => {
      const withoutFingerprint = await BROKEN[module]();
      vi.doMock(module, () => withoutFingerprint);
      vi.resetModules();
      broken = await import('./isolation-scenarios.ts');
    });
    afterAll(() => {
      vi.doUnmock(module);
      vi.resetModules();
    });

    test.each(scenes)('%s', async (scene) => {
      expect(await broken.findLeaks(scene)).not.toEqual([]);
    });

    if (module !== '#cache/memory-store.ts') return;
    test('of what is not there', async () => {
      expect(await broken.isHiddenFromOther()).toBe(true);
    });
  });
});

/** The rooms' modules, with one fingerprint for all. */
const BROKEN = {
  async '#cache/memory-store.ts'() {
    const actual = await import('#cache/memory-store.ts');
    return {
      ...actual,
      createMemoryStore(options: Parameters<typeof actual.createMemoryStore>[0]) {
        const memory = actual.createMemoryStore(options);
        return {
          ...memory,
          get: (_: string, key: string) => memory.get('', key),
          set: (_: string, ...rest: [never, never, never]) => memory.set('', ...rest),
          recordAccepted: (fingerprint: string, ...rest: [number, number]) => {
            memory.recordAccepted('', ...rest);
            memory.recordAccepted(fingerprint, ...rest);
          },
        };
      },
    };
  },
  async '#cache/single-flight.ts'() {
    const actual = await import('#cache/single-flight.ts');
    const withoutOwner = (key: string) => key.slice(key.indexOf(' '));
    return {
      ...actual,
      createSingleFlight() {
        const flights = actual.createSingleFlight();
        return {
          get: (key: string) => flights.get(withoutOwner(key)),
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
