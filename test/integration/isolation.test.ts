import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { KEY_A, KEY_B } from '../support/test-gateway.ts';
import {
  createIsolationRun,
  findLeaks,
  findStreamLeaks,
  isHiddenFromOther,
  SCENARIOS,
  SUBSCRIPTION_FIELDS,
} from './isolation-scenarios.ts';

describe('Isolation between API keys', () => {
  test.each(Object.keys(SCENARIOS))(
    'two API keys that send the same operations %s receive no data of each other',
    async (name) => {
      expect(await findLeaks(name)).toEqual([]);
    },
  );

  test.each(SUBSCRIPTION_FIELDS)(
    'two API keys with the same subscriptions of %s receive no data of each other',
    async (field) => {
      expect(await findStreamLeaks(field)).toEqual([]);
    },
  );

  test('a 404 that one API key receives does not hide the object from the key that owns it', async () => {
    expect(await isHiddenFromOther()).toBe(false);
  });
});

test('the upstream cost of a request does not reveal what another API key has requested', async () => {
  const { gateway, executeAs } = createIsolationRun();
  const { richCallId: id } = sampleIds(gateway.sandbox);
  const operation = { query: 'query ($id: ID!) { node(id: $id) { id } }', variables: { id } };
  await executeAs(KEY_A, operation);
  gateway.traffic();
  await executeAs(KEY_B, operation);
  expect(gateway.traffic()).toEqual([
    `GET /call/${id}`,
    `GET /assistants/${id}`,
    `GET /campaigns/${id}`,
  ]);
});

describe('Isolation test without the fingerprint in', () => {
  const all = Object.keys(SCENARIOS);

  describe.each([
    ['#cache/memory-store.ts', all],
    ['#rest/credential.ts', all],
    // Only concurrent requests share an in-flight request.
    ['#cache/single-flight.ts', ['at the same time', 'during background revalidation']],
  ] as const)('%s', (module, scenarios) => {
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

    test.each(scenarios)(
      `without the fingerprint in ${module}, the isolation test detects a leak between two API keys %s`,
      async (scenario) => {
        expect(await broken.findLeaks(scenario)).not.toEqual([]);
      },
    );

    if (module !== '#cache/memory-store.ts') return;
    test(`without the fingerprint in ${module}, the isolation test detects that a 404 of one API key hides the object of another`, async () => {
      expect(await broken.isHiddenFromOther()).toBe(true);
    });
  });
});

describe('Isolation test of subscriptions without the fingerprint in', () => {
  test.each(['#live/watches.ts', '#live/subscriptions.ts', '#rest/credential.ts'] as const)(
    '%s: the isolation test detects a leak of each field between two API keys',
    async (module) => {
      const withoutFingerprint = await BROKEN[module]();
      vi.doMock(module, () => withoutFingerprint);
      vi.resetModules();
      const broken = await import('./isolation-scenarios.ts');
      for (const field of SUBSCRIPTION_FIELDS)
        expect(await broken.findStreamLeaks(field), field).not.toEqual([]);
      vi.doUnmock(module);
      vi.resetModules();
    },
  );
});

/** The modules with the isolation broken: all credentials share one fingerprint. */
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
          start: (key: string, ...rest: [never, never]) =>
            flights.start(withoutOwner(key), ...rest),
        };
      },
    };
  },
  async '#live/watches.ts'() {
    const actual = await import('#live/watches.ts');
    return {
      ...actual,
      createWatches(options: Parameters<typeof actual.createWatches>[0]) {
        const watches = actual.createWatches(options);
        return {
          ...watches,
          watch: (target: object, listener: never) =>
            watches.watch({ ...target, fingerprint: '' } as never, listener),
          offer: (_: string, ...rest: [never, never]) => watches.offer('', ...rest),
        };
      },
    };
  },
  async '#live/subscriptions.ts'() {
    const actual = await import('#live/subscriptions.ts');
    return {
      ...actual,
      createLiveSubscriptions(options: Parameters<typeof actual.createLiveSubscriptions>[0]) {
        const subscriptions = actual.createLiveSubscriptions(options);
        return {
          ...subscriptions,
          open: (request: Parameters<typeof subscriptions.open>[0]) =>
            subscriptions.open({
              ...request,
              subscriber: withoutFingerprint(request.subscriber),
            }),
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

/** A subscriber may be an object of a class, whose methods use private fields. */
function withoutFingerprint<T extends { readonly fingerprint: string }>(subscriber: T): T {
  return new Proxy(subscriber, {
    get(target, name) {
      if (name === 'fingerprint') return '';
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
