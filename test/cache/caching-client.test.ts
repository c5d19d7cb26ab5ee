import { describe, expect, test } from 'vitest';
import { type CachingClientOptions, createCachingClient } from '#cache/caching-client.ts';
import type { CacheOwner, SecondTier, SecondTierEntry } from '#cache/second-tier.ts';
import {
  CredentialRejectedError,
  type UpstreamError,
  UpstreamNotFoundError,
  UpstreamUnavailableError,
} from '#errors/upstream-error.ts';
import type { UpstreamLookup } from '#extensions.ts';
import { Credential } from '#rest/credential.ts';
import type {
  ReadVersion,
  SendHooks,
  SendUpstream,
  UpstreamRequest,
} from '#rest/upstream-request.ts';
import { createClock } from '../support/clock.ts';
import { createUpstreamContext } from '../support/upstream-context.ts';

const REQUEST_LINE = { method: 'GET', path: '/' } as const;
const FRESHNESS: CachingClientOptions['freshness'] = {
  endedCallMs: 1000,
  justEndedCallMs: 100,
  settlingCallMs: 100,
  liveCallMs: 10,
  assistantMs: 1000,
  campaignMs: 1000,
  runningCampaignMs: 100,
  pageMs: 50,
  notFoundMs: 20,
  whileRevalidatingMs: 30,
};

/** A fake second tier that stores what is written to it and logs every access. */
function createFakeSecondTier(clock: { now(): number }) {
  const stored = new Map<string, SecondTierEntry & { readonly since: number }>();
  const log: string[] = [];
  const entryKeyOf = (owner: CacheOwner, key: string) => `${owner.fingerprint} ${key}`;
  const tier: SecondTier = {
    async read(owner, key) {
      log.push(`read ${key}`);
      const entry = stored.get(entryKeyOf(owner, key));
      return entry && { ...entry, ageMs: entry.ageMs + clock.now() - entry.since };
    },
    write(owner, key, entry, keepForMs) {
      log.push(`write ${key} ${entry.status} for ${keepForMs}`);
      stored.set(entryKeyOf(owner, key), { ...entry, since: clock.now() });
    },
    revoke: ({ fingerprint }) => {
      log.push('forget');
      for (const name of stored.keys()) if (name.startsWith(fingerprint)) stored.delete(name);
    },
    close: async () => {},
  };
  return { tier, takeLog: () => log.splice(0) };
}

interface Setup {
  readonly clock?: ReturnType<typeof createClock>;
  readonly process?: string;
  readonly tier?: SecondTier;
  readonly credentialRecheckMs?: number;
  /** The offset of the upstream's clock from the gateway's, in ms. */
  readonly skewMs?: number;
}

/**
 * A caching client over an upstream that counts its requests, and that the test can hold or let
 * fail.
 */
function createCachingScene({
  clock = createClock(),
  process: instance = 'this',
  tier,
  credentialRecheckMs = Number.POSITIVE_INFINITY,
  skewMs = 0,
}: Setup = {}) {
  const requests: string[] = [];
  const sendings: (SendHooks | undefined)[] = [];
  let failure: UpstreamError | undefined;
  let held = Promise.resolve();
  let sequence = 0;
  const send: SendUpstream = async (context, request, sending) => {
    requests.push(`${request.path}${request.query}`);
    sendings.push(sending);
    context.budget.sentRequests += 1;
    sequence += 1;
    const readVersion: ReadVersion = { instance, sequence, isCached: false };
    const requestedAt = clock.now();
    sending?.onSent(requestedAt);
    await held;
    if (failure) throw failure;
    return {
      value: request.parse({ id: request.path, number: sequence }),
      status: 200,
      readVersion,
      requestedAt,
      upstreamNow: requestedAt + skewMs,
    };
  };
  const { fetch, expire } = createCachingClient(send, {
    maxBytes: 1e6,
    freshness: FRESHNESS,
    graceMs: 5000,
    credentialRecheckMs,
    maxRevalidations: 10,
    secondTier: tier,
    onCredentialRejected: () => {},
    events: { onLookup: () => {} },
    now: clock.now,
    monotonicNow: clock.now,
    startTimer: () => () => {},
  });
  const calls: UpstreamLookup[] = [];
  const context = (key = 'sk_test') =>
    createUpstreamContext({
      credential: new Credential(key, 'a secret of several'),
      usage: { record: (call) => calls.push(call), startWait: () => () => {} },
    });
  return {
    clock,
    context,
    load: <T>(request: UpstreamRequest<T>, newerThan?: ReadVersion, key?: string) =>
      fetch(context(key), request, { newerThan }),
    expire,
    sendings,
    takeRequests: () => requests.splice(0),
    takeSources: () => calls.splice(0).map(({ source }) => source),
    /** Holds the upstream's responses until the returned function is called. */
    hold(): () => void {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return resolve;
    },
    fail(error: UpstreamError | undefined) {
      failure = error;
    },
  };
}

const assistant = (id: string): UpstreamRequest<unknown> => ({
  endpoint: '/assistants/{id}',
  path: `/assistants/${id}`,
  query: '',
  parse: (body) => body,
});
const page = (index: number): UpstreamRequest<unknown> => ({
  endpoint: '/call',
  path: '/call',
  query: `?page=${index}`,
  parse: () => ({ items: [] }),
});

describe('Caching client with newerThan', () => {
  test('a cached page older than the required read version is fetched again, and its response is cached for later requests', async () => {
    const { load, takeRequests } = createCachingScene();
    const { readVersion: first } = await load(page(1));
    const { readVersion: second } = await load(page(2));
    takeRequests();
    expect((await load(page(2), first)).readVersion).toEqual({ ...second, isCached: true });
    expect(takeRequests()).toEqual([]);
    const { readVersion: third } = await load(page(1), second);
    expect(third).toEqual({ instance: 'this', sequence: 3, isCached: false });
    expect((await load(page(1), second)).readVersion).toEqual({ ...third, isCached: true });
    expect(takeRequests()).toEqual(['/call?page=1']);
  });

  test('a request with newerThan joins an in-flight request sent after that version, and not one sent before it', async () => {
    const { load, takeRequests, takeSources } = createCachingScene();
    const { readVersion } = await load(page(1));
    takeRequests();
    takeSources();
    const [one, two] = await Promise.all([load(page(1), readVersion), load(page(1), readVersion)]);
    expect(one.readVersion).toEqual(two.readVersion);
    expect(takeRequests()).toEqual(['/call?page=1']);
    expect(takeSources().sort()).toEqual(['coalesced', 'network']);
    // A request that was sent before the version was read cannot be known to be newer.
    const early = load(page(2));
    const { readVersion: later } = await load(page(3));
    await early;
    const slow = load(page(4));
    const next = load(page(4), { ...later, sequence: later.sequence + 100 });
    await Promise.all([slow, next]);
    expect(takeRequests()).toEqual([
      '/call?page=2',
      '/call?page=3',
      '/call?page=4',
      '/call?page=4',
    ]);
  });

  test('a request that must be newer than a version of another instance is sent upstream', async () => {
    const { load, takeRequests } = createCachingScene();
    await load(page(1));
    takeRequests();
    await load(page(1), { instance: 'another', sequence: 1, isCached: true });
    expect(takeRequests()).toEqual(['/call?page=1']);
  });

  test('a request with newerThan gets the cached response when the upstream fails', async () => {
    const { load, fail, takeSources } = createCachingScene();
    const { readVersion } = await load(page(1));
    takeSources();
    fail(new UpstreamUnavailableError(REQUEST_LINE));
    expect((await load(page(1), readVersion)).readVersion).toEqual({
      ...readVersion,
      isCached: true,
    });
    expect(takeSources()).toEqual(['stale']);
  });
});

describe('Caching client with a second tier', () => {
  test('the caching client reads the second tier after memory and before the upstream, and writes upstream responses to it', async () => {
    const clock = createClock();
    const { tier, takeLog } = createFakeSecondTier(clock);
    const first = createCachingScene({ clock, tier, process: 'first' });
    const second = createCachingScene({ clock, tier, process: 'second' });
    const { value } = await first.load(assistant('a'));
    expect(takeLog()).toEqual(['read /assistants/a', 'write /assistants/a 200 for 6000']);
    clock.pass(400);
    expect((await second.load(assistant('a'))).value).toEqual(value);
    expect(takeLog()).toEqual(['read /assistants/a']);
    expect(second.takeRequests()).toEqual([]);
    expect(second.takeSources()).toEqual(['cache']);
    // From now on the entry is in memory, for as long as it is fresh and no longer.
    clock.pass(599);
    await second.load(assistant('a'));
    expect(takeLog()).toEqual([]);
    clock.pass(31);
    await second.load(assistant('a'));
    expect(takeLog()).toEqual(['read /assistants/a', 'write /assistants/a 200 for 6000']);
    expect(second.takeRequests()).toEqual(['/assistants/a']);
  });

  test('the second tier keeps the read version of an entry, so that pages of one instance stay in order in another', async () => {
    const clock = createClock();
    const { tier } = createFakeSecondTier(clock);
    const first = createCachingScene({ clock, tier, process: 'first' });
    const second = createCachingScene({ clock, tier, process: 'second' });
    for (const index of [2, 1]) await first.load(page(index));
    const { readVersion } = await second.load(page(1));
    expect(readVersion).toEqual({ instance: 'first', sequence: 2, isCached: true });
    await second.load(page(2));
    second.takeRequests();
    await second.load(page(2), readVersion);
    expect(second.takeRequests()).toEqual(['/call?page=2']);
    const third = createCachingScene({ clock, tier, process: 'third' });
    const { readVersion: earlier } = await first.load(page(3));
    await first.load(page(4), earlier);
    await third.load(page(4), (await third.load(page(3))).readVersion);
    expect(third.takeRequests()).toEqual([]);
  });

  test('a response from the second tier counts as cached for the requests that join it, and may be too old for them', async () => {
    const clock = createClock();
    const { tier } = createFakeSecondTier(clock);
    const [first, second] = ['first', 'second'].map((process) =>
      createCachingScene({ clock, tier, process }),
    );
    await first!.load(page(2));
    const { readVersion: upper } = await second!.load(page(1));
    second!.takeRequests();
    // One request without `newerThan`, and one that joins it and must be newer than a page read a
    // moment ago.
    const [any, newer] = await Promise.all([second!.load(page(2)), second!.load(page(2), upper)]);
    expect(any.readVersion).toEqual({ instance: 'first', sequence: 1, isCached: true });
    expect(newer.readVersion).toEqual({ instance: 'second', sequence: 2, isCached: false });
    expect(second!.takeRequests()).toEqual(['/call?page=2']);
    // A request that joins without `newerThan` receives a version that is marked as cached.
    await first!.load(page(3));
    const both = await Promise.all([second!.load(page(3)), second!.load(page(3))]);
    expect(both.map(({ readVersion }) => readVersion.isCached)).toEqual([true, true]);
    expect(second!.takeSources().slice(-2)).toEqual(['cache', 'cache']);
  });

  test("an embedded object in the second tier is aged by the upstream's clock, even when that is an hour behind", async () => {
    const clock = createClock();
    const { tier } = createFakeSecondTier(clock);
    const endedAt = clock.now() - 3_600_000 - 50;
    const call = {
      id: 'c',
      status: 'completed',
      call_attempts: [{ id: 'a', status: 'completed', ended_at: new Date(endedAt).toISOString() }],
    };
    const rows: UpstreamRequest<{ items: unknown[] }> = {
      endpoint: '/campaigns/{id}/rows',
      path: '/campaigns/x/rows',
      query: '?page=1',
      parse: () => ({ items: [{ id: 'r', call }] }),
      embedded: () => [{ endpoint: '/call/{id}', path: '/call/c', value: call }],
    };
    const one: UpstreamRequest<unknown> = {
      endpoint: '/call/{id}',
      path: '/call/c',
      query: '',
      parse: () => call,
    };
    const [first, second] = [1, 2].map(() =>
      createCachingScene({ clock, tier, skewMs: -3_600_000 }),
    );
    await first!.load(rows);
    await second!.load(rows);
    for (const cache of [first!, second!]) {
      cache.takeRequests();
      clock.pass(0);
      await cache.load(one);
      expect(cache.takeRequests()).toEqual([]);
    }
    // The call has just ended: it is fresh for 100 ms, and then stale while it is revalidated.
    clock.pass(FRESHNESS.justEndedCallMs + FRESHNESS.whileRevalidatingMs);
    await second!.load(one);
    expect(second!.takeRequests()).toEqual(['/call/c']);
  });

  test('the caching client does not read the second tier for a request newer than what this instance has read', async () => {
    const clock = createClock();
    const { tier, takeLog } = createFakeSecondTier(clock);
    const { load } = createCachingScene({ clock, tier });
    const { readVersion } = await load(page(1));
    takeLog();
    await load(page(1), readVersion);
    expect(takeLog()).toEqual(['write /call?page=1 200 for 5050']);
  });

  test.each(['first', 'second'])(
    'an expired response is read from the upstream, although the second tier has it of the %s instance',
    async (writer) => {
      const clock = createClock();
      const { tier } = createFakeSecondTier(clock);
      const scenes = {
        first: createCachingScene({ clock, tier, process: 'first' }),
        second: createCachingScene({ clock, tier, process: 'second' }),
      };
      await scenes[writer as 'first' | 'second'].load(assistant('a'));
      const { load, context, expire, takeRequests } = scenes.first;
      await load(assistant('a'));
      takeRequests();
      clock.pass(1);
      expire(context().credential.fingerprint, '/assistants/a');
      expect((await load(assistant('a'))).readVersion).toMatchObject({ instance: 'first' });
      await load(assistant('a'));
      expect(takeRequests()).toEqual(['/assistants/a']);
    },
  );

  test('the second tier stores a 404, and another instance serves it without an upstream request', async () => {
    const clock = createClock();
    const { tier, takeLog } = createFakeSecondTier(clock);
    const [first, second] = [
      createCachingScene({ clock, tier }),
      createCachingScene({ clock, tier }),
    ];
    first.fail(new UpstreamNotFoundError(REQUEST_LINE, 404));
    await expect(first.load(assistant('a'))).rejects.toBeInstanceOf(UpstreamNotFoundError);
    expect(takeLog()).toEqual(['read /assistants/a', 'write /assistants/a 404 for 20']);
    await expect(second.load(assistant('a'))).rejects.toBeInstanceOf(UpstreamNotFoundError);
    expect(second.takeRequests()).toEqual([]);
  });

  test('a 401 revokes the credential in the second tier', async () => {
    const clock = createClock();
    const { tier, takeLog } = createFakeSecondTier(clock);
    const [first, second] = [
      createCachingScene({ clock, tier }),
      createCachingScene({ clock, tier }),
    ];
    await first.load(assistant('a'));
    second.fail(new CredentialRejectedError(REQUEST_LINE, 401));
    await expect(second.load(assistant('b'))).rejects.toBeInstanceOf(CredentialRejectedError);
    expect(takeLog()).toContain('forget');
    await expect(second.load(assistant('a'))).rejects.toBeInstanceOf(CredentialRejectedError);
  });

  test('a 403 revokes the credential in the second tier only when another instance has read the object', async () => {
    const clock = createClock();
    const { tier, takeLog } = createFakeSecondTier(clock);
    const [first, second] = [
      createCachingScene({ clock, tier }),
      createCachingScene({ clock, tier }),
    ];
    await first.load(assistant('a'));
    clock.pass(2000);
    takeLog();
    second.fail(new CredentialRejectedError(REQUEST_LINE, 403));
    await expect(second.load(assistant('b'))).rejects.toBeInstanceOf(CredentialRejectedError);
    expect(takeLog()).toEqual(['read /assistants/b']);
    await expect(second.load(assistant('a'))).rejects.toBeInstanceOf(CredentialRejectedError);
    expect(takeLog()).toEqual(['read /assistants/a', 'forget']);
    expect(second.takeRequests()).toEqual(['/assistants/b', '/assistants/a']);
  });

  test('the second tier serves stale on error to an instance that has never seen the response', async () => {
    const clock = createClock();
    const { tier } = createFakeSecondTier(clock);
    const [first, second] = [
      createCachingScene({ clock, tier }),
      createCachingScene({ clock, tier }),
    ];
    const { value } = await first.load(assistant('a'));
    clock.pass(3000);
    second.fail(new UpstreamUnavailableError(REQUEST_LINE));
    expect((await second.load(assistant('a'))).value).toEqual(value);
    expect(second.takeSources()).toEqual(['stale']);
    clock.pass(3000);
    await expect(second.load(assistant('a'))).rejects.toBeInstanceOf(UpstreamUnavailableError);
  });

  test('the caching client writes embedded objects to the second tier', async () => {
    const clock = createClock();
    const { tier } = createFakeSecondTier(clock);
    const list: UpstreamRequest<{ items: unknown[] }> = {
      endpoint: '/assistants',
      path: '/assistants',
      query: '',
      parse: () => ({ items: [{ id: 'a' }] }),
      embedded: ({ items }) =>
        items.map((value) => ({ endpoint: '/assistants/{id}', path: '/assistants/a', value })),
    };
    const [first, second] = [
      createCachingScene({ clock, tier }),
      createCachingScene({ clock, tier }),
    ];
    await first.load(list);
    await second.load(list);
    expect((await second.load(assistant('a'))).value).toEqual({ id: 'a' });
    expect(second.takeRequests()).toEqual([]);
  });

  describe('in pass-through mode', () => {
    const RECHECK = 500;

    test('a recent entry of the second tier proves that the upstream accepts its credential', async () => {
      const clock = createClock();
      const { tier } = createFakeSecondTier(clock);
      const [first, second] = [1, 2].map(() =>
        createCachingScene({ clock, tier, credentialRecheckMs: RECHECK }),
      );
      await first!.load(assistant('a'));
      clock.pass(RECHECK - 1);
      await second!.load(assistant('a'));
      expect(second!.takeRequests()).toEqual([]);
      // Now the entry is too old to prove it.
      clock.pass(1);
      await second!.load(assistant('a'));
      expect(second!.takeRequests()).toEqual(['/assistants/a']);
    });

    test('an old entry of the second tier does not prove that the upstream accepts its credential', async () => {
      const clock = createClock();
      const { tier } = createFakeSecondTier(clock);
      const [first, second] = [1, 2].map(() =>
        createCachingScene({ clock, tier, credentialRecheckMs: RECHECK }),
      );
      await first!.load(assistant('a'));
      clock.pass(RECHECK);
      await second!.load(assistant('a'));
      expect(second!.takeRequests()).toEqual(['/assistants/a']);
    });

    test('a 404 in the second tier does not prove that the upstream accepts its credential', async () => {
      const clock = createClock();
      const { tier } = createFakeSecondTier(clock);
      const [first, second] = [1, 2].map(() =>
        createCachingScene({ clock, tier, credentialRecheckMs: RECHECK }),
      );
      first!.fail(new UpstreamNotFoundError(REQUEST_LINE, 404));
      await expect(first!.load(assistant('a'))).rejects.toThrow();
      await second!.load(assistant('a'));
      expect(second!.takeRequests()).toEqual(['/assistants/a']);
    });

    test('the second tier never serves an entry of one credential to another', async () => {
      const clock = createClock();
      const { tier } = createFakeSecondTier(clock);
      const cache = createCachingScene({ clock, tier, credentialRecheckMs: RECHECK });
      await cache.load(assistant('a'), undefined, 'sk_one');
      await cache.load(assistant('a'), undefined, 'sk_two');
      expect(cache.takeRequests()).toEqual(['/assistants/a', '/assistants/a']);
    });
  });
});

describe('Caching client after the clock is set back', () => {
  test('a clock that is set back keeps no cached response fresh for longer', async () => {
    const { load, clock, takeRequests } = createCachingScene();
    await load(assistant('a'));
    clock.pass(-3_600_000);
    await load(assistant('a'));
    expect(takeRequests()).toHaveLength(2);
  });

  test('a clock that is set back does not prolong the acceptance of a credential', async () => {
    const { load, clock, takeRequests } = createCachingScene({ credentialRecheckMs: 500 });
    await load(assistant('a'));
    clock.pass(-1);
    await load(assistant('a'));
    expect(takeRequests()).toHaveLength(2);
  });
});

describe('Caching client with a request that waits for its byte budget', () => {
  test('no other operation waits for a request that waits for its byte budget: joined and later operations send their own', async () => {
    const { load, hold, sendings, takeRequests, takeSources } = createCachingScene();
    const respond = hold();
    const [holding, joining] = [load(assistant('a')), load(assistant('a'))];
    await Promise.resolve();
    expect(takeRequests()).toEqual(['/assistants/a']);
    // From now on the upstream responds at once; the first response is still held.
    hold()();
    sendings[0]?.onBudgetWait(true);
    await Promise.all([joining, load(assistant('a'))]);
    expect(takeRequests()).toEqual(['/assistants/a']);
    respond();
    await holding;
    expect(takeSources().sort()).toEqual(['coalesced', 'network', 'network']);
  });

  test('a recheck that waits for its byte budget does not keep another operation from rechecking the credential itself', async () => {
    const { load, clock, hold, sendings, takeRequests } = createCachingScene({
      credentialRecheckMs: 500,
    });
    for (const id of ['a', 'b']) await load(assistant(id));
    clock.pass(500);
    takeRequests();
    const respond = hold();
    const [holding, waiting] = [load(assistant('a')), load(assistant('b'))];
    await Promise.resolve();
    expect(takeRequests()).toEqual(['/assistants/a']);
    hold()();
    sendings.at(-1)?.onBudgetWait(true);
    await waiting;
    expect(takeRequests()).toEqual(['/assistants/b']);
    respond();
    await holding;
  });

  test('an operation does not join a recheck that waits for its byte budget', async () => {
    const { load, clock, hold, sendings, takeRequests } = createCachingScene({
      credentialRecheckMs: 500,
    });
    for (const id of ['a', 'b']) await load(assistant(id));
    clock.pass(500);
    takeRequests();
    const respond = hold();
    const holding = load(assistant('a'));
    await Promise.resolve();
    hold()();
    sendings.at(-1)?.onBudgetWait(true);
    await load(assistant('b'));
    expect(takeRequests()).toEqual(['/assistants/a', '/assistants/b']);
    respond();
    await holding;
  });

  test('an operation joins a request again that no longer waits for its byte budget', async () => {
    const { load, hold, sendings, takeRequests } = createCachingScene();
    const respond = hold();
    const holding = load(assistant('a'));
    await Promise.resolve();
    sendings[0]?.onBudgetWait(true);
    sendings[0]?.onBudgetWait(false);
    const joining = load(assistant('a'));
    respond();
    await Promise.all([holding, joining]);
    expect(takeRequests()).toEqual(['/assistants/a']);
  });
});

describe('Caching client with a slow request', () => {
  test('an operation does not join a request that has been in flight for more than a second', async () => {
    const { load, clock, takeRequests } = createCachingScene();
    const early = load(assistant('a'));
    clock.pass(999);
    const joining = load(assistant('a'));
    clock.pass(1);
    const late = load(assistant('a'));
    await Promise.all([early, joining, late]);
    expect(takeRequests()).toHaveLength(2);
  });
});

describe('Isolation of callers in the caching client', () => {
  test('the recheck of one credential does not wait for the response to another', async () => {
    const { load, clock, takeRequests, hold } = createCachingScene({ credentialRecheckMs: 500 });
    for (const key of ['sk_one', 'sk_two']) await load(assistant('a'), undefined, key);
    clock.pass(500);
    takeRequests();
    const release = hold();
    const one = load(assistant('a'), undefined, 'sk_one');
    const two = load(assistant('a'), undefined, 'sk_two');
    await new Promise(setImmediate);
    expect(takeRequests()).toHaveLength(2);
    release();
    await Promise.all([one, two]);
  });

  test('the background revalidations of one credential take no revalidation slot of another', async () => {
    const { load, clock, takeRequests, hold } = createCachingScene();
    const ids = Array.from({ length: 12 }, (_, n) => `a${n}`);
    for (const key of ['sk_one', 'sk_two'])
      for (const id of ids) await load(assistant(id), undefined, key);
    clock.pass(FRESHNESS.assistantMs);
    takeRequests();
    const release = hold();
    for (const id of ids) await load(assistant(id), undefined, 'sk_one');
    expect(takeRequests()).toHaveLength(10);
    for (const id of ids) await load(assistant(id), undefined, 'sk_two');
    expect(takeRequests()).toHaveLength(10);
    release();
  });
});

describe('Credential recheck during an outage', () => {
  test('an operation whose credential must be rechecked waits for one failing recheck only', async () => {
    const { load, clock, takeRequests, fail } = createCachingScene({ credentialRecheckMs: 500 });
    for (const id of ['a', 'b', 'c']) await load(assistant(id));
    clock.pass(500);
    takeRequests();
    fail(new UpstreamUnavailableError(REQUEST_LINE));
    await Promise.all(['a', 'b', 'c'].map((id) => load(assistant(id))));
    expect(takeRequests()).toEqual(['/assistants/a']);
  });
});
