import { describe, expect, test } from 'vitest';
import { type CachingClientOptions, createCachingClient } from '#cache/caching-client.ts';
import type { CacheOwner, SecondTier, SecondTierEntry } from '#cache/second-tier.ts';
import {
  CredentialRefusedError,
  type UpstreamError,
  UpstreamNotFoundError,
  UpstreamUnavailableError,
} from '#errors/upstream-error.ts';
import { Credential } from '#rest/credential.ts';
import type { UpstreamCall } from '#rest/upstream-context.ts';
import type { ReadVersion, SendHooks, SendUpstream, UpstreamRequest } from '#rest/upstream-request.ts';
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

/** A tier that remembers what it was told, and can be told what it knows. */
function createFakeSecondTier(clock: { now(): number }) {
  const kept = new Map<string, SecondTierEntry & { readonly since: number }>();
  const log: string[] = [];
  const place = (owner: CacheOwner, key: string) => `${owner.fingerprint} ${key}`;
  const tier: SecondTier = {
    async read(owner, key) {
      log.push(`read ${key}`);
      const entry = kept.get(place(owner, key));
      return entry && { ...entry, ageMs: entry.ageMs + clock.now() - entry.since };
    },
    write(owner, key, entry, keepForMs) {
      log.push(`write ${key} ${entry.status} for ${keepForMs}`);
      kept.set(place(owner, key), { ...entry, since: clock.now() });
    },
    revoke: ({ fingerprint }) => {
      log.push('forget');
      for (const name of kept.keys()) if (name.startsWith(fingerprint)) kept.delete(name);
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
  /** The upstream's clock against ours. */
  readonly skewMs?: number;
}

/** A remembering gateway's cache over an upstream that answers, counted, or fails as it is told. */
function createCachingScene({
  clock = createClock(),
  process: instance = 'this',
  tier,
  credentialRecheckMs = Number.POSITIVE_INFINITY,
  skewMs = 0,
}: Setup = {}) {
  const asked: string[] = [];
  const sendings: (SendHooks | undefined)[] = [];
  let failure: UpstreamError | undefined;
  let held = Promise.resolve();
  let sequence = 0;
  const send: SendUpstream = async (errand, question, sending) => {
    asked.push(`${question.path}${question.query}`);
    sendings.push(sending);
    errand.budget.sentRequests += 1;
    sequence += 1;
    const readVersion: ReadVersion = { instance, sequence, isCached: false };
    const requestedAt = clock.now();
    sending?.onSent(requestedAt);
    await held;
    if (failure) throw failure;
    return {
      value: question.parse({ id: question.path, number: sequence }),
      status: 200,
      readVersion,
      requestedAt,
      upstreamNow: requestedAt + skewMs,
    };
  };
  const { fetch } = createCachingClient(send, {
    maxBytes: 1e6,
    freshness: FRESHNESS,
    graceMs: 5000,
    credentialRecheckMs,
    maxRevalidations: 10,
    secondTier: tier,
    onCredentialRevoked: () => {},
    events: { onLookup: () => {} },
    now: clock.now,
    monotonicNow: clock.now,
    startTimer: () => () => {},
  });
  const calls: UpstreamCall[] = [];
  const errand = (key = 'sk_test') =>
    createUpstreamContext({
      credential: new Credential(key, 'a secret of several'),
      usage: { record: (call) => calls.push(call), startWait: () => () => {} },
    });
  return {
    clock,
    errand,
    ask: <T>(question: UpstreamRequest<T>, newerThan?: ReadVersion, key?: string) => fetch(errand(key), question, { newerThan }),
    sendings,
    takeAsked: () => asked.splice(0),
    takeSources: () => calls.splice(0).map(({ source }) => source),
    /** The upstream does not answer until this is called. */
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

describe('What has to be newer than a reading', () => {
  test('is not what was kept before it, and is kept for those who come later', async () => {
    const { ask, takeAsked } = createCachingScene();
    const { readVersion: first } = await ask(page(1));
    const { readVersion: second } = await ask(page(2));
    takeAsked();
    expect((await ask(page(2), first)).readVersion).toEqual({ ...second, isCached: true });
    expect(takeAsked()).toEqual([]);
    const { readVersion: third } = await ask(page(1), second);
    expect(third).toEqual({ instance: 'this', sequence: 3, isCached: false });
    expect((await ask(page(1), second)).readVersion).toEqual({ ...third, isCached: true });
    expect(takeAsked()).toEqual(['/call?page=1']);
  });

  test('is not what was asked before it and has not come yet; but what was asked after it may be joined', async () => {
    const { ask, takeAsked, takeSources } = createCachingScene();
    const { readVersion } = await ask(page(1));
    takeAsked();
    takeSources();
    const [one, two] = await Promise.all([ask(page(1), readVersion), ask(page(1), readVersion)]);
    expect(one.readVersion).toEqual(two.readVersion);
    expect(takeAsked()).toEqual(['/call?page=1']);
    expect(takeSources().sort()).toEqual(['coalesced', 'network']);
    // A flight that left before the reading came in cannot be known to be newer.
    const early = ask(page(2));
    const { readVersion: later } = await ask(page(3));
    await early;
    const slow = ask(page(4));
    const next = ask(page(4), { ...later, sequence: later.sequence + 100 });
    await Promise.all([slow, next]);
    expect(takeAsked()).toEqual(['/call?page=2', '/call?page=3', '/call?page=4', '/call?page=4']);
  });

  test('than one of another process comes from the upstream alone', async () => {
    const { ask, takeAsked } = createCachingScene();
    await ask(page(1));
    takeAsked();
    await ask(page(1), { instance: 'another', sequence: 1, isCached: true });
    expect(takeAsked()).toEqual(['/call?page=1']);
  });

  test('is what there is, when the upstream fails', async () => {
    const { ask, fail, takeSources } = createCachingScene();
    const { readVersion } = await ask(page(1));
    takeSources();
    fail(new UpstreamUnavailableError(REQUEST_LINE));
    expect((await ask(page(1), readVersion)).readVersion).toEqual({ ...readVersion, isCached: true });
    expect(takeSources()).toEqual(['stale']);
  });
});

describe('The second tier', () => {
  test('is asked once memory has nothing, before the upstream, and told what the upstream said', async () => {
    const clock = createClock();
    const { tier, takeLog } = createFakeSecondTier(clock);
    const first = createCachingScene({ clock, tier, process: 'first' });
    const second = createCachingScene({ clock, tier, process: 'second' });
    const { value } = await first.ask(assistant('a'));
    expect(takeLog()).toEqual(['read /assistants/a', 'write /assistants/a 200 for 6000']);
    clock.pass(400);
    expect((await second.ask(assistant('a'))).value).toEqual(value);
    expect(takeLog()).toEqual(['read /assistants/a']);
    expect(second.takeAsked()).toEqual([]);
    expect(second.takeSources()).toEqual(['cache']);
    // From now on it is in memory, for as long as it is fresh and no longer.
    clock.pass(599);
    await second.ask(assistant('a'));
    expect(takeLog()).toEqual([]);
    clock.pass(31);
    await second.ask(assistant('a'));
    expect(takeLog()).toEqual(['read /assistants/a', 'write /assistants/a 200 for 6000']);
    expect(second.takeAsked()).toEqual(['/assistants/a']);
  });

  test('hands on which reading an answer is, so that pages of one process stay in order in another', async () => {
    const clock = createClock();
    const { tier } = createFakeSecondTier(clock);
    const first = createCachingScene({ clock, tier, process: 'first' });
    const second = createCachingScene({ clock, tier, process: 'second' });
    for (const index of [2, 1]) await first.ask(page(index));
    const { readVersion } = await second.ask(page(1));
    expect(readVersion).toEqual({ instance: 'first', sequence: 2, isCached: true });
    await second.ask(page(2));
    second.takeAsked();
    await second.ask(page(2), readVersion);
    expect(second.takeAsked()).toEqual(['/call?page=2']);
    const third = createCachingScene({ clock, tier, process: 'third' });
    const { readVersion: earlier } = await first.ask(page(3));
    await first.ask(page(4), earlier);
    await third.ask(page(4), (await third.ask(page(3))).readVersion);
    expect(third.takeAsked()).toEqual([]);
  });

  test('is not taken for the upstream by those who join: what it says is remembered, and may be too old for them', async () => {
    const clock = createClock();
    const { tier } = createFakeSecondTier(clock);
    const [first, second] = ['first', 'second'].map((process) => createCachingScene({ clock, tier, process }));
    await first!.ask(page(2));
    const { readVersion: upper } = await second!.ask(page(1));
    second!.takeAsked();
    // One who has no wish, and one who joins and needs it newer than what was read a moment ago.
    const [any, newer] = await Promise.all([second!.ask(page(2)), second!.ask(page(2), upper)]);
    expect(any.readVersion).toEqual({ instance: 'first', sequence: 1, isCached: true });
    expect(newer.readVersion).toEqual({ instance: 'second', sequence: 2, isCached: false });
    expect(second!.takeAsked()).toEqual(['/call?page=2']);
    // One who joins and has no wish is told that it is remembered.
    await first!.ask(page(3));
    const both = await Promise.all([second!.ask(page(3)), second!.ask(page(3))]);
    expect(both.map(({ readVersion }) => readVersion.isCached)).toEqual([true, true]);
    expect(second!.takeSources().slice(-2)).toEqual(['cache', 'cache']);
  });

  test('keeps what stands in an answer by the upstream’s clock, whose own clock is an hour behind', async () => {
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
    const one: UpstreamRequest<unknown> = { endpoint: '/call/{id}', path: '/call/c', query: '', parse: () => call };
    const [first, second] = [1, 2].map(() => createCachingScene({ clock, tier, skewMs: -3_600_000 }));
    await first!.ask(rows);
    await second!.ask(rows);
    for (const cache of [first!, second!]) {
      cache.takeAsked();
      clock.pass(0);
      await cache.ask(one);
      expect(cache.takeAsked()).toEqual([]);
    }
    // It has just ended: a tenth of a second, and the while in which it is fetched anew.
    clock.pass(FRESHNESS.justEndedCallMs + FRESHNESS.whileRevalidatingMs);
    await second!.ask(one);
    expect(second!.takeAsked()).toEqual(['/call/c']);
  });

  test('is asked for nobody who has to have something newer than this process has read', async () => {
    const clock = createClock();
    const { tier, takeLog } = createFakeSecondTier(clock);
    const { ask } = createCachingScene({ clock, tier });
    const { readVersion } = await ask(page(1));
    takeLog();
    await ask(page(1), readVersion);
    expect(takeLog()).toEqual(['write /call?page=1 200 for 5050']);
  });

  test('is told that there is nothing, and asked by none who knows', async () => {
    const clock = createClock();
    const { tier, takeLog } = createFakeSecondTier(clock);
    const [first, second] = [createCachingScene({ clock, tier }), createCachingScene({ clock, tier })];
    first.fail(new UpstreamNotFoundError(REQUEST_LINE, 404));
    await expect(first.ask(assistant('a'))).rejects.toBeInstanceOf(UpstreamNotFoundError);
    expect(takeLog()).toEqual(['read /assistants/a', 'write /assistants/a 404 for 20']);
    await expect(second.ask(assistant('a'))).rejects.toBeInstanceOf(UpstreamNotFoundError);
    expect(second.takeAsked()).toEqual([]);
  });

  test('is told to forget when the credential is refused', async () => {
    const clock = createClock();
    const { tier, takeLog } = createFakeSecondTier(clock);
    const [first, second] = [createCachingScene({ clock, tier }), createCachingScene({ clock, tier })];
    await first.ask(assistant('a'));
    second.fail(new CredentialRefusedError(REQUEST_LINE, 401));
    await expect(second.ask(assistant('b'))).rejects.toBeInstanceOf(CredentialRefusedError);
    expect(takeLog()).toContain('forget');
    await expect(second.ask(assistant('a'))).rejects.toBeInstanceOf(CredentialRefusedError);
  });

  test('keeps what it has after a 403 for an object that no instance has read, and forgets it after a 403 for one that another has', async () => {
    const clock = createClock();
    const { tier, takeLog } = createFakeSecondTier(clock);
    const [first, second] = [createCachingScene({ clock, tier }), createCachingScene({ clock, tier })];
    await first.ask(assistant('a'));
    clock.pass(2000);
    takeLog();
    second.fail(new CredentialRefusedError(REQUEST_LINE, 403));
    await expect(second.ask(assistant('b'))).rejects.toBeInstanceOf(CredentialRefusedError);
    expect(takeLog()).toEqual(['read /assistants/b']);
    await expect(second.ask(assistant('a'))).rejects.toBeInstanceOf(CredentialRefusedError);
    expect(takeLog()).toEqual(['read /assistants/a', 'forget']);
    expect(second.takeAsked()).toEqual(['/assistants/b', '/assistants/a']);
  });

  test('stands in for an upstream that fails, where this process has never seen an answer', async () => {
    const clock = createClock();
    const { tier } = createFakeSecondTier(clock);
    const [first, second] = [createCachingScene({ clock, tier }), createCachingScene({ clock, tier })];
    const { value } = await first.ask(assistant('a'));
    clock.pass(3000);
    second.fail(new UpstreamUnavailableError(REQUEST_LINE));
    expect((await second.ask(assistant('a'))).value).toEqual(value);
    expect(second.takeSources()).toEqual(['stale']);
    clock.pass(3000);
    await expect(second.ask(assistant('a'))).rejects.toBeInstanceOf(UpstreamUnavailableError);
  });

  test('fills what stands in an answer, too', async () => {
    const clock = createClock();
    const { tier } = createFakeSecondTier(clock);
    const list: UpstreamRequest<{ items: unknown[] }> = {
      endpoint: '/assistants',
      path: '/assistants',
      query: '',
      parse: () => ({ items: [{ id: 'a' }] }),
      embedded: ({ items }) => items.map((value) => ({ endpoint: '/assistants/{id}', path: '/assistants/a', value })),
    };
    const [first, second] = [createCachingScene({ clock, tier }), createCachingScene({ clock, tier })];
    await first.ask(list);
    await second.ask(list);
    expect((await second.ask(assistant('a'))).value).toEqual({ id: 'a' });
    expect(second.takeAsked()).toEqual([]);
  });

  describe('where callers bring their own credentials', () => {
    const RECHECK = 500;

    test('vouches for one that the upstream took a moment ago, whoever asked', async () => {
      const clock = createClock();
      const { tier } = createFakeSecondTier(clock);
      const [first, second] = [1, 2].map(() => createCachingScene({ clock, tier, credentialRecheckMs: RECHECK }));
      await first!.ask(assistant('a'));
      clock.pass(RECHECK - 1);
      await second!.ask(assistant('a'));
      expect(second!.takeAsked()).toEqual([]);
      // That was a moment ago; by now it is too long.
      clock.pass(1);
      await second!.ask(assistant('a'));
      expect(second!.takeAsked()).toEqual(['/assistants/a']);
    });

    test('vouches for nobody with what is older', async () => {
      const clock = createClock();
      const { tier } = createFakeSecondTier(clock);
      const [first, second] = [1, 2].map(() => createCachingScene({ clock, tier, credentialRecheckMs: RECHECK }));
      await first!.ask(assistant('a'));
      clock.pass(RECHECK);
      await second!.ask(assistant('a'));
      expect(second!.takeAsked()).toEqual(['/assistants/a']);
    });

    test('vouches for nobody with a 404', async () => {
      const clock = createClock();
      const { tier } = createFakeSecondTier(clock);
      const [first, second] = [1, 2].map(() => createCachingScene({ clock, tier, credentialRecheckMs: RECHECK }));
      first!.fail(new UpstreamNotFoundError(REQUEST_LINE, 404));
      await expect(first!.ask(assistant('a'))).rejects.toThrow();
      await second!.ask(assistant('a'));
      expect(second!.takeAsked()).toEqual(['/assistants/a']);
    });

    test('has nothing of one for another', async () => {
      const clock = createClock();
      const { tier } = createFakeSecondTier(clock);
      const cache = createCachingScene({ clock, tier, credentialRecheckMs: RECHECK });
      await cache.ask(assistant('a'), undefined, 'sk_one');
      await cache.ask(assistant('a'), undefined, 'sk_two');
      expect(cache.takeAsked()).toEqual(['/assistants/a', '/assistants/a']);
    });
  });
});

describe('A clock that is set back', () => {
  test('makes nothing fresh for longer: what was asked in times to come is asked again', async () => {
    const { ask, clock, takeAsked } = createCachingScene();
    await ask(assistant('a'));
    clock.pass(-3_600_000);
    await ask(assistant('a'));
    expect(takeAsked()).toHaveLength(2);
  });

  test('nor does it vouch for a credential', async () => {
    const { ask, clock, takeAsked } = createCachingScene({ credentialRecheckMs: 500 });
    await ask(assistant('a'));
    clock.pass(-1);
    await ask(assistant('a'));
    expect(takeAsked()).toHaveLength(2);
  });
});

describe('A request that is held because its operation waits until others have ended', () => {
  test('is waited for by no other operation: those that have joined it send their own, and so do those that come later', async () => {
    const { ask, hold, sendings, takeAsked, takeSources } = createCachingScene();
    const answer = hold();
    const [holding, joining] = [ask(assistant('a')), ask(assistant('a'))];
    await Promise.resolve();
    expect(takeAsked()).toEqual(['/assistants/a']);
    // From now on the upstream answers at once; the first answer is held.
    hold()();
    sendings[0]?.onBudgetWait(true);
    await Promise.all([joining, ask(assistant('a'))]);
    expect(takeAsked()).toEqual(['/assistants/a']);
    answer();
    await holding;
    expect(takeSources().sort()).toEqual(['coalesced', 'network', 'network']);
  });

  test('keeps no other operation from finding out for itself whether the upstream still accepts the credential', async () => {
    const { ask, clock, hold, sendings, takeAsked } = createCachingScene({ credentialRecheckMs: 500 });
    for (const id of ['a', 'b']) await ask(assistant(id));
    clock.pass(500);
    takeAsked();
    const answer = hold();
    const [holding, waiting] = [ask(assistant('a')), ask(assistant('b'))];
    await Promise.resolve();
    expect(takeAsked()).toEqual(['/assistants/a']);
    hold()();
    sendings.at(-1)?.onBudgetWait(true);
    await waiting;
    expect(takeAsked()).toEqual(['/assistants/b']);
    answer();
    await holding;
  });

  test('is no recheck that an operation joins', async () => {
    const { ask, clock, hold, sendings, takeAsked } = createCachingScene({ credentialRecheckMs: 500 });
    for (const id of ['a', 'b']) await ask(assistant(id));
    clock.pass(500);
    takeAsked();
    const answer = hold();
    const holding = ask(assistant('a'));
    await Promise.resolve();
    hold()();
    sendings.at(-1)?.onBudgetWait(true);
    await ask(assistant('b'));
    expect(takeAsked()).toEqual(['/assistants/a', '/assistants/b']);
    answer();
    await holding;
  });

  test('is joined again when it goes on', async () => {
    const { ask, hold, sendings, takeAsked } = createCachingScene();
    const answer = hold();
    const holding = ask(assistant('a'));
    await Promise.resolve();
    sendings[0]?.onBudgetWait(true);
    sendings[0]?.onBudgetWait(false);
    const joining = ask(assistant('a'));
    answer();
    await Promise.all([holding, joining]);
    expect(takeAsked()).toEqual(['/assistants/a']);
  });
});

describe('A question that is in the air for more than a second', () => {
  test('is joined by nobody who comes then', async () => {
    const { ask, clock, takeAsked } = createCachingScene();
    const early = ask(assistant('a'));
    clock.pass(999);
    const joining = ask(assistant('a'));
    clock.pass(1);
    const late = ask(assistant('a'));
    await Promise.all([early, joining, late]);
    expect(takeAsked()).toHaveLength(2);
  });
});

describe('What one caller is busy with holds up no other:', () => {
  test('who has to be asked about waits for no other’s answer', async () => {
    const { ask, clock, takeAsked, hold } = createCachingScene({ credentialRecheckMs: 500 });
    for (const key of ['sk_one', 'sk_two']) await ask(assistant('a'), undefined, key);
    clock.pass(500);
    takeAsked();
    const release = hold();
    const one = ask(assistant('a'), undefined, 'sk_one');
    const two = ask(assistant('a'), undefined, 'sk_two');
    await new Promise(setImmediate);
    expect(takeAsked()).toHaveLength(2);
    release();
    await Promise.all([one, two]);
  });

  test('what is fetched anew for one takes no place of another’s', async () => {
    const { ask, clock, takeAsked, hold } = createCachingScene();
    const ids = Array.from({ length: 12 }, (_, n) => `a${n}`);
    for (const key of ['sk_one', 'sk_two']) for (const id of ids) await ask(assistant(id), undefined, key);
    clock.pass(FRESHNESS.assistantMs);
    takeAsked();
    const release = hold();
    for (const id of ids) await ask(assistant(id), undefined, 'sk_one');
    expect(takeAsked()).toHaveLength(10);
    for (const id of ids) await ask(assistant(id), undefined, 'sk_two');
    expect(takeAsked()).toHaveLength(10);
    release();
  });
});

describe('In an outage, one of whom it is not known whether the upstream still takes the credential', () => {
  test('waits once, not twice', async () => {
    const { ask, clock, takeAsked, fail } = createCachingScene({ credentialRecheckMs: 500 });
    for (const id of ['a', 'b', 'c']) await ask(assistant(id));
    clock.pass(500);
    takeAsked();
    fail(new UpstreamUnavailableError(REQUEST_LINE));
    await Promise.all(['a', 'b', 'c'].map((id) => ask(assistant(id))));
    expect(takeAsked()).toEqual(['/assistants/a']);
  });
});
