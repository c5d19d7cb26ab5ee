import { describe, expect, test } from 'vitest';
import { createFreshnessPolicy, type FreshnessSettings, isListPage } from '#cache/freshness.ts';
import type { Endpoint } from '#rest/upstream-request.ts';

/** Every value is different, so that each result names the setting that was used. */
const SETTINGS: FreshnessSettings = {
  endedCallMs: 600_001,
  justEndedCallMs: 5_002,
  settlingCallMs: 300_003,
  liveCallMs: 1_004,
  assistantMs: 30_005,
  campaignMs: 60_006,
  runningCampaignMs: 10_007,
  pageMs: 2_008,
  notFoundMs: 2_509,
};

const ENDED = { freshForMs: SETTINGS.endedCallMs, isLive: false };
const JUST_ENDED = { freshForMs: SETTINGS.justEndedCallMs, isLive: false };
const LIVE = { freshForMs: SETTINGS.liveCallMs, isLive: true };
const PAGE = { freshForMs: SETTINGS.pageMs, isLive: false };
const CAMPAIGN = { freshForMs: SETTINGS.campaignMs, isLive: false };
const RUNNING = { freshForMs: SETTINGS.runningCampaignMs, isLive: false };
const ASSISTANT = { freshForMs: SETTINGS.assistantMs, isLive: false };

const NOW = Date.UTC(2026, 5, 1, 12);
const LONG_AGO = '2026-05-01T12:00:00Z';
const LAST_MINUTE = '2026-06-01T11:59:00Z';

const freshnessOf = createFreshnessPolicy(SETTINGS);
const of = (endpoint: Endpoint, value: unknown) => freshnessOf(endpoint, value, NOW);

/** An attempt that ended long ago. */
const attempt = (changes: object = {}) => ({
  id: 'attempt',
  status: 'completed',
  ended_at: LONG_AGO,
  ...changes,
});
/** A call with one attempt that ended long ago. */
const call = (changes: object = {}) => ({
  id: 'call',
  status: 'completed',
  call_attempts: [attempt()],
  ...changes,
});
const endedAt = (ended_at: unknown) => call({ call_attempts: [attempt({ ended_at })] });

describe('Freshness of a call', () => {
  test.each(['initializing', 'queued_for_calling', 'calling', 'scheduled'])(
    'a call with the order status %s is live',
    (status) => {
      expect(of('/call/{id}', call({ status }))).toEqual(LIVE);
    },
  );

  test.each(['completed', 'cancelled', 'errored'])(
    'a call with the order status %s has ended',
    (status) => {
      expect(of('/call/{id}', call({ status }))).toEqual(ENDED);
    },
  );

  test.each(['paused', 'error', 'COMPLETED', '', 'constructor', 0, false, {}, ['completed']])(
    'a call with the unknown status %j counts as live, whatever its flags say',
    (status) => {
      expect(of('/call/{id}', call({ status, is_completed: true, is_cancelled: true }))).toEqual(
        LIVE,
      );
    },
  );

  test.each([
    { is_completed: true, is_cancelled: false, expected: ENDED },
    { is_completed: false, is_cancelled: true, expected: ENDED },
    { is_completed: true, expected: ENDED },
    { is_cancelled: true, expected: ENDED },
    { is_completed: false, is_cancelled: false, expected: LIVE },
    { is_completed: 'true', is_cancelled: 1, expected: LIVE },
    { is_completed: null, expected: LIVE },
    { expected: LIVE },
  ])(
    'the flags of a call without a status decide whether it has ended: %j',
    ({ expected, ...flags }) => {
      expect(of('/call/{id}', call({ status: undefined, ...flags }))).toEqual(expected);
      expect(of('/call/{id}', call({ status: null, ...flags }))).toEqual(expected);
    },
  );

  test('a call with a live status is live even if a flag of another version says that it has ended', () => {
    expect(of('/call/{id}', call({ status: 'calling', is_completed: true }))).toEqual(LIVE);
    expect(
      of('/call/{id}', call({ status: 'completed', is_completed: false, is_cancelled: false })),
    ).toEqual(ENDED);
  });

  test.each([
    'queued',
    'ringing',
    'ongoing',
    'errored',
    'cancelled',
    'new',
    '',
    null,
    undefined,
    {},
  ])('a call with an attempt that is %j is live, even if its order has ended', (status) => {
    expect(of('/call/{id}', call({ call_attempts: [attempt({ status }), attempt()] }))).toEqual(
      LIVE,
    );
    expect(of('/call/{id}', call({ call_attempts: [attempt(), attempt({ status })] }))).toEqual(
      LIVE,
    );
    expect(of('/call/{id}', call({ last_call_attempt: attempt({ status }) }))).toEqual(LIVE);
  });

  test('a call of the oldest API versions, without a status, is classified by its flag and its attempts', () => {
    const oldest = (changes: object) => ({
      id: 'call',
      call_retry_config: {
        calling_window_start_time: '9am',
        retry_delay_seconds: 60,
        max_retry_attempts: 3,
      },
      next_call_at: null,
      calls_count: 1,
      is_completed: false,
      call_attempts: [attempt()],
      last_call_attempt: attempt(),
      ...changes,
    });
    expect(of('/call/{id}', oldest({}))).toEqual(LIVE);
    expect(of('/call/{id}', oldest({ is_completed: undefined }))).toEqual(LIVE);
    expect(of('/call/{id}', oldest({ is_completed: true }))).toEqual(ENDED);
    expect(
      of(
        '/call/{id}',
        oldest({ is_completed: true, last_call_attempt: attempt({ status: 'ongoing' }) }),
      ),
    ).toEqual(LIVE);
    expect(
      of('/call/{id}', oldest({ is_completed: true, call_attempts: ['x', attempt()] })),
    ).toEqual(LIVE);
  });

  test('a call is live while an attempt that has an end time is not over', () => {
    expect(
      of(
        '/call/{id}',
        call({ call_attempts: [attempt({ status: 'ongoing', ended_at: LONG_AGO })] }),
      ),
    ).toEqual(LIVE);
  });

  test.each(['completed', 'error'])('a call has ended when its attempts are %s', (status) => {
    expect(of('/call/{id}', call({ call_attempts: [attempt({ status })] }))).toEqual(ENDED);
  });

  test.each([
    ['a month ago', LONG_AGO, ENDED],
    ['a minute ago', LAST_MINUTE, JUST_ENDED],
    [
      'just within the settling time',
      new Date(NOW - SETTINGS.settlingCallMs + 1).toISOString(),
      JUST_ENDED,
    ],
    ['just beyond the settling time', new Date(NOW - SETTINGS.settlingCallMs).toISOString(), ENDED],
    ['in the future', '2026-06-01T12:01:00Z', JUST_ENDED],
    ['in seconds, long ago', NOW / 1000 - 86_400, ENDED],
    ['in seconds, a minute ago', NOW / 1000 - 60, JUST_ENDED],
    ['in milliseconds, long ago', NOW - 86_400_000, ENDED],
    ['in milliseconds, a minute ago', NOW - 60_000, JUST_ENDED],
    ['as digits, a minute ago', String(NOW - 60_000), JUST_ENDED],
    ['as digits, long ago', String(NOW - 86_400_000), ENDED],
    ['without a zone, which is UTC, long ago', '2026-06-01T11:00:00', ENDED],
    ['without a zone, which is UTC, a minute ago', '2026-06-01 11:59:00', JUST_ENDED],
    ['in another zone, long ago', '2026-06-01T12:30:00+02:00', ENDED],
    ['in another zone, a minute ago', '2026-06-01T13:59:00+02:00', JUST_ENDED],
    ['in lower case, long ago', '2026-05-01t12:00:00z', ENDED],
    ['as {}', {}, JUST_ENDED],
    ['as null', null, JUST_ENDED],
    ['at no known time', undefined, JUST_ENDED],
    ['at an empty text instead of a time', '', JUST_ENDED],
    ['on a date that does not exist', '2026-02-30T12:00:00Z', JUST_ENDED],
    ['as words', 'yesterday', JUST_ENDED],
    ['at a list instead of a time', [LONG_AGO], JUST_ENDED],
  ])('the freshness of a call that ended %s', (_when, ended_at, expected) => {
    expect(of('/call/{id}', endedAt(ended_at))).toEqual(expected);
  });

  test('a call has just ended when any of its attempts has just ended', () => {
    const [late, early] = [attempt({ ended_at: LAST_MINUTE }), attempt()];
    expect(of('/call/{id}', call({ call_attempts: [late, early] }))).toEqual(JUST_ENDED);
    expect(of('/call/{id}', call({ call_attempts: [early, late] }))).toEqual(JUST_ENDED);
    expect(of('/call/{id}', call({ last_call_attempt: late }))).toEqual(JUST_ENDED);
  });

  test('a call that has just ended becomes a call that ended long ago, by the clock of the upstream', () => {
    const ended = endedAt(LAST_MINUTE);
    expect(freshnessOf('/call/{id}', ended, NOW + SETTINGS.settlingCallMs - 60_001)).toEqual(
      JUST_ENDED,
    );
    expect(freshnessOf('/call/{id}', ended, NOW + SETTINGS.settlingCallMs - 60_000)).toEqual(ENDED);
  });

  test.each(['cancelled', 'errored', 'completed'])(
    'a call that is %s without an attempt has no settling time',
    (status) => {
      expect(of('/call/{id}', { id: 'call', status, call_attempts: [] })).toEqual(ENDED);
      // The attempts are unknown when they cannot be read.
      for (const call_attempts of ['many', {}, null, undefined])
        expect(of('/call/{id}', { id: 'call', status, call_attempts })).toEqual(JUST_ENDED);
    },
  );

  test('a call with only its last attempt is classified by that attempt', () => {
    const only = (last_call_attempt: unknown) => ({
      id: 'call',
      status: 'completed',
      last_call_attempt,
    });
    expect(of('/call/{id}', only(attempt()))).toEqual(ENDED);
    expect(of('/call/{id}', only(attempt({ ended_at: LAST_MINUTE })))).toEqual(JUST_ENDED);
    expect(of('/call/{id}', only(attempt({ status: 'ringing' })))).toEqual(LIVE);
    expect(of('/call/{id}', only(null))).toEqual(JUST_ENDED);
  });
});

describe('Freshness of assistants', () => {
  test.each<Endpoint>(['/assistants/{id}', '/assistants'])(
    'the endpoint %s has one freshness, whatever it returns',
    (endpoint) => {
      for (const value of [
        { id: 'a' },
        { items: [{ id: 'a', status: 'running' }] },
        { items: [] },
        null,
      ]) {
        expect(of(endpoint, value)).toEqual(ASSISTANT);
      }
    },
  );
});

describe('Freshness of campaigns', () => {
  test.each([
    [{ status: 'running', is_cancelled: false }, RUNNING],
    [{ status: 'running' }, RUNNING],
    [{ status: 'running', is_cancelled: null }, RUNNING],
    [{ status: 'running', is_cancelled: true }, CAMPAIGN],
    [{ status: 'paused', is_cancelled: false }, CAMPAIGN],
    [{ status: 'paused', is_cancelled: true }, CAMPAIGN],
    [{ status: 'completed' }, CAMPAIGN],
    [{}, CAMPAIGN],
  ])('the freshness of the campaign %j', (campaign, expected) => {
    expect(of('/campaigns/{id}', campaign)).toEqual(expected);
  });

  test('a campaign list is as fresh as its least fresh campaign', () => {
    const list = (...items: unknown[]) => of('/campaigns', { items });
    const [running, paused, cancelled] = [
      { status: 'running' },
      { status: 'paused' },
      { status: 'running', is_cancelled: true },
    ];
    expect(list(paused, running, cancelled)).toEqual(RUNNING);
    expect(list(running)).toEqual(RUNNING);
    expect(list(paused, cancelled)).toEqual(CAMPAIGN);
    expect(list()).toEqual(CAMPAIGN);
  });

  test('a longer freshness of running campaigns does not prolong the freshness of the list', () => {
    const other = createFreshnessPolicy({ ...SETTINGS, runningCampaignMs: 90_000 });
    expect(other('/campaigns', { items: [{ status: 'running' }] }, NOW)).toEqual(CAMPAIGN);
  });

  test('a campaign list may be very long', () => {
    const items = Array.from({ length: 500_000 }, () => null);
    expect(of('/campaigns', { items })).toEqual(CAMPAIGN);
    expect(of('/campaigns', { items: [...items, { status: 'running' }] })).toEqual(RUNNING);
  });
});

describe('Freshness of pages', () => {
  test('a page of attempts has the page freshness, and less with an attempt that is not over', () => {
    const page = (...items: unknown[]) => of('/call', { items });
    const [over, failed, ringing] = [
      attempt(),
      attempt({ status: 'error' }),
      attempt({ status: 'ringing' }),
    ];
    expect(page(over, failed)).toEqual(PAGE);
    expect(page(over, ringing, failed)).toEqual(LIVE);
    expect(page(over, attempt({ status: 'of another version' }))).toEqual(LIVE);
    expect(page(attempt({ ended_at: LAST_MINUTE }))).toEqual(PAGE);
    expect(page(over, null)).toEqual(LIVE);
    expect(page()).toEqual(PAGE);
  });

  test('a page of rows has the page freshness, and less with a live call', () => {
    const page = (...items: unknown[]) =>
      of('/campaigns/{id}/rows', { items, total: items.length });
    const row = (one?: unknown) => ({ id: 'row', row_index: 0, call: one });
    expect(page(row(), row(null), row(call()))).toEqual(PAGE);
    expect(page(row(call()), row(call({ status: 'calling' })), row())).toEqual(LIVE);
    expect(page(row(call({ call_attempts: [attempt({ status: 'ongoing' })] })))).toEqual(LIVE);
    expect(page(row('a call'))).toEqual(LIVE);
    expect(page(row(endedAt(LAST_MINUTE)))).toEqual(PAGE);
    expect(page()).toEqual(PAGE);
  });

  test('a page of rows is no longer fresh than its least fresh call', () => {
    const other = createFreshnessPolicy({ ...SETTINGS, justEndedCallMs: 500, endedCallMs: 1_500 });
    const page = (...calls: unknown[]) =>
      other('/campaigns/{id}/rows', { items: calls.map((one) => ({ call: one })) }, NOW);
    expect(page(call(), endedAt(LAST_MINUTE))).toEqual({ freshForMs: 500, isLive: false });
    expect(page(call())).toEqual({ freshForMs: 1_500, isLive: false });
  });

  test('a live item does not prolong the freshness of its page', () => {
    const other = createFreshnessPolicy({ ...SETTINGS, liveCallMs: 9_000 });
    const live = { freshForMs: SETTINGS.pageMs, isLive: true };
    expect(other('/call', { items: [attempt({ status: 'ringing' })] }, NOW)).toEqual(live);
    expect(
      other('/campaigns/{id}/rows', { items: [{ call: call({ status: 'calling' }) }] }, NOW),
    ).toEqual(live);
  });

  test.each<[Endpoint, boolean]>([
    ['/call', true],
    ['/campaigns/{id}/rows', true],
    ['/call/{id}', false],
    ['/assistants', false],
    ['/assistants/{id}', false],
    ['/campaigns', false],
    ['/campaigns/{id}', false],
  ])('the endpoint %s returns a list page: %j', (endpoint, expected) => {
    expect(isListPage(endpoint)).toBe(expected);
  });
});

describe('Freshness of unexpected values', () => {
  const UNEXPECTED = [null, undefined, '', 'text', 0, 7, true, [], [null], [[]], {}, { id: {} }];
  /** The freshness of an unexpected value in the place of an object or a list. */
  const BY_ENDPOINT: readonly [Endpoint, unknown][] = [
    ['/call/{id}', LIVE],
    ['/assistants/{id}', ASSISTANT],
    ['/assistants', ASSISTANT],
    ['/campaigns/{id}', CAMPAIGN],
    ['/campaigns', CAMPAIGN],
    ['/call', PAGE],
    ['/campaigns/{id}/rows', PAGE],
  ];

  test.each(BY_ENDPOINT)(
    'an unexpected value of %s causes no error and is never fresh for long',
    (endpoint, expected) => {
      for (const value of UNEXPECTED) {
        expect(of(endpoint, value)).toEqual(expected);
        expect(of(endpoint, { items: value }).freshForMs).toBeLessThanOrEqual(
          of(endpoint, { items: [] }).freshForMs,
        );
      }
    },
  );

  test('an unexpected value in the place of an attempt makes the call live', () => {
    for (const value of UNEXPECTED)
      expect(of('/call/{id}', call({ call_attempts: [attempt(), value] }))).toEqual(LIVE);
    for (const value of UNEXPECTED.slice(2))
      expect(of('/call/{id}', call({ last_call_attempt: value }))).toEqual(LIVE);
  });
});
