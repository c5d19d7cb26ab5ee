import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Call, CallAttempt } from '#sandbox/api/wire.ts';
import type { SandboxData } from '#sandbox/control.ts';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { createSandbox } from '#sandbox/sandbox.ts';
import { fetchJson, idsOf, STARTED_AT } from './sandbox-requests.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

const createLiveSandbox = () => {
  let time = STARTED_AT;
  const sandbox = createSandbox({ startedAt: STARTED_AT, now: () => time, live: true });
  return {
    sandbox,
    at(ms: number) {
      time = STARTED_AT + ms;
      return sandbox.control.data('sk_demo_a');
    },
    async top() {
      return (await fetchJson(sandbox, '/call?page=1&page_size=1')).json.calls[0] as CallAttempt;
    },
  };
};

/**
 * The ids of the objects that differ, and the lists whose order differs: a full diff of this data
 * would be too long to read.
 */
function differences(one: SandboxData, other: SandboxData): string[] {
  const found: string[] = [];
  for (const list of ['calls', 'attempts', 'assistants', 'campaigns'] as const) {
    if (idsOf(one[list]).join() !== idsOf(other[list]).join()) found.push(`the order of ${list}`);
    const others = new Map(other[list].map((item) => [item.id, JSON.stringify(item)]));
    for (const item of one[list])
      if (others.get(item.id) !== JSON.stringify(item)) found.push(`${list} ${item.id}`);
  }
  for (const [id, rows] of Object.entries(one.rows))
    if (JSON.stringify(rows) !== JSON.stringify(other.rows[id])) found.push(`the rows of ${id}`);
  return found;
}

it('the live data starts like the static data', () => {
  const still = createSandbox({ startedAt: STARTED_AT }).control.data('sk_demo_a');
  expect(differences(createLiveSandbox().at(0), still)).toEqual([]);
});

it('the static data does not change when the clock advances', async () => {
  let time = STARTED_AT;
  const sandbox = createSandbox({ startedAt: STARTED_AT, now: () => time });
  const before = (await fetchJson(sandbox, '/call?page=1&page_size=5000')).json;
  time += HOUR_MS;
  expect((await fetchJson(sandbox, '/call?page=1&page_size=5000')).json).toEqual(before);
});

it('the live sandbox adds a call with a queued attempt to the top of the list every twenty seconds', async () => {
  const { at, top } = createLiveSandbox();
  const seen = new Set([(await top()).id]);
  for (let number = 1; number <= 10; number++) {
    const { calls, attempts } = at(number * 20 * SECOND_MS);
    const first = await top();
    expect(first).toMatchObject({ status: 'queued', started_at: null });
    expect(seen).not.toContain(first.id);
    expect(calls).toHaveLength(720 + number);
    expect(attempts[0]!.id).toBe(first.id);
    seen.add(first.id);
  }
});

it('a live call passes through its stages in order within minutes, and its transcript grows line by line', () => {
  const { at } = createLiveSandbox();
  at(20 * SECOND_MS);
  const ids = new Set(
    Array.from({ length: 10 }, (_, index) => at((index + 1) * 20 * SECOND_MS).calls.at(-1)!.id),
  );
  const again = createLiveSandbox();
  const stories = new Map<string, { stages: string[]; lines: number[]; seconds: number }>();
  for (let seconds = 20; seconds <= 480; seconds += 1) {
    for (const call of again.at(seconds * SECOND_MS).calls.slice(720)) {
      const story = stories.get(call.id) ?? { stages: [], lines: [], seconds: 0 };
      const stage = `${call.status}/${call.last_call_attempt?.status}`;
      if (story.stages.at(-1) !== stage) story.stages.push(stage);
      if (call.status === 'calling')
        story.lines.push(call.last_call_attempt?.transcript?.length ?? 0);
      if (call.status !== 'completed') story.seconds++;
      stories.set(call.id, story);
    }
  }
  const summaries = [...stories].filter(([id]) => ids.has(id)).map(([, story]) => story);
  expect(summaries).toHaveLength(10);
  for (const { stages, lines, seconds } of summaries) {
    expect(
      [
        'queued_for_calling/queued',
        'calling/ringing',
        'calling/ongoing',
        'completed/completed',
        'completed/error',
      ].filter((stage) => stages.includes(stage)),
    ).toEqual(stages);
    expect(stages[0]).toBe('queued_for_calling/queued');
    expect(stages.at(-1)).toMatch(/^completed/);
    expect(lines).toEqual([...lines].sort((one, other) => one - other));
    expect(seconds).toBeLessThanOrEqual(180);
  }
  expect(summaries.filter(({ stages }) => stages.length === 4).length).toBeGreaterThan(5);
  expect(Math.max(...summaries.map(({ lines }) => new Set(lines).size))).toBeGreaterThan(4);
});

it('the running campaigns progress for hours, with calls to the people of their rows', () => {
  const { at } = createLiveSandbox();
  const running = at(0).campaigns.filter(({ status }) => status === 'running');
  expect(running).toHaveLength(2);
  const hours = [0, 1, 2, 3].map((hour) => {
    const { rows } = at(hour * HOUR_MS);
    return running.map(({ id }) => ({
      done: rows[id]!.filter(({ call }) => call?.is_completed).length,
      uncalled: rows[id]!.filter(({ call }) => !call).length,
    }));
  });
  for (const [index] of running.entries()) {
    const done = hours.map((campaigns) => campaigns[index]!.done);
    expect(done).toEqual([...new Set(done)].sort((one, other) => one - other));
    expect(hours[3]![index]!.uncalled).toBeLessThan(hours[0]![index]!.uncalled / 2);
  }
  for (const { id } of running)
    for (const { call, phone_number } of at(3 * HOUR_MS).rows[id]!)
      if (call) expect(call).toMatchObject({ to_phone_number: phone_number, campaign: { id } });
});

it('a call of the largest campaign is live at nearly every moment of the first hours', () => {
  const { sandbox, at } = createLiveSandbox();
  const { largeCampaignId } = sampleIds(sandbox);
  const isLive = ({ call }: { call?: Call }) =>
    call?.status === 'calling' || call?.status === 'queued_for_calling';
  const moments = Array.from({ length: 180 }, (_, minute) => minute * MINUTE_MS);
  const live = moments.filter((ms) => at(ms).rows[largeCampaignId]!.some(isLive));
  expect(live.length).toBeGreaterThan(0.9 * moments.length);
});

it('the live sandbox completes calls that were in progress at the start, also in rows and lookups', async () => {
  const { sandbox, at } = createLiveSandbox();
  const live = sampleIds(sandbox).liveCallId;
  const row = Object.values(at(0).rows)
    .flat()
    .find(({ call }) => call?.status === 'queued_for_calling')!;
  at(10 * MINUTE_MS);
  expect((await fetchJson(sandbox, `/call/${live}`)).json.call).toMatchObject({
    status: 'completed',
    is_completed: true,
    last_call_attempt: { status: 'completed', result: 'human' },
  });
  expect(row.call!.status).toBe('completed');
});

it('the ringing call of the README and the demo ends two minutes after the start', () => {
  const { sandbox, at } = createLiveSandbox();
  const { ringingCallId } = sampleIds(sandbox);
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  expect(readme).toContain(`callUpdated(id: \\"${ringingCallId}\\")`);
  const stateAt = (seconds: number) => {
    const call = at(seconds * SECOND_MS).calls.find(({ id }) => id === ringingCallId)!;
    return `${call.status}/${call.last_call_attempt!.status}`;
  };
  expect([0, 30, 100, 120].map(stateAt)).toEqual([
    'calling/ringing',
    'calling/ongoing',
    'calling/ongoing',
    'completed/completed',
  ]);
});

it('the live sandbox starts scheduled calls at their scheduled time', () => {
  const { at } = createLiveSandbox();
  const scheduled = at(0).calls.filter(({ status }) => status === 'scheduled');
  const first = scheduled.toSorted((one, other) =>
    one.scheduled_at! < other.scheduled_at! ? -1 : 1,
  )[0]!;
  const attemptsBefore = first.calls_count;
  at(Date.parse(first.scheduled_at!) - STARTED_AT + 1);
  expect([first.status, first.calls_count, first.last_call_attempt!.status]).toEqual([
    'queued_for_calling',
    attemptsBefore + 1,
    'queued',
  ]);
  const last = at(7 * 24 * HOUR_MS);
  expect(last.calls.filter(({ status }) => status === 'scheduled')).toEqual([]);
});

describe('Passing of time in the live sandbox', () => {
  it.each([
    ['minutes', 10 * MINUTE_MS, 7 * SECOND_MS],
    ['hours, with the oldest calls recycled', 3 * HOUR_MS, 20 * SECOND_MS],
  ])(
    'one large step of the clock and many small steps lead to the same data: %s',
    (_name, duration, step) => {
      const walking = createLiveSandbox();
      for (let ms = 0; ms < duration; ms += step) walking.at(ms);
      const leaping = createLiveSandbox();
      expect(differences(walking.at(duration), leaping.at(duration))).toEqual([]);
    },
  );

  it('the order of queued calls does not depend on the steps of the clock', () => {
    const walking = createLiveSandbox();
    for (let ms = 0; ms <= 100 * SECOND_MS; ms += SECOND_MS) {
      const walked = walking.at(ms);
      if (ms % (5 * SECOND_MS) === 0)
        expect(differences(walked, createLiveSandbox().at(ms))).toEqual([]);
    }
  });

  it('the list stays in order and contains exactly the attempts of the calls', () => {
    const { at } = createLiveSandbox();
    for (let ms = 0; ms <= 6 * MINUTE_MS; ms += 3 * SECOND_MS) {
      const { attempts, calls } = at(ms);
      const times = attempts.map(({ started_at }) => started_at ?? '9999');
      expect(times).toEqual([...times].sort().reverse());
      expect(new Set(attempts)).toEqual(new Set(calls.flatMap((call: Call) => call.call_attempts)));
    }
  });

  it('the live data is bounded: after weeks there are 720 live calls, and the oldest are gone', async () => {
    const { sandbox, at } = createLiveSandbox();
    const early = at(20 * SECOND_MS).calls.at(-1)!;
    expect((await fetchJson(sandbox, `/call/${early.id}`)).status).toBe(200);
    const { calls, attempts } = at(21 * 24 * HOUR_MS);
    expect(calls).toHaveLength(720 + 720);
    expect(attempts.length).toBe(calls.reduce((sum, call) => sum + call.calls_count, 0));
    expect((await fetchJson(sandbox, `/call/${early.id}`)).status).toBe(404);
    expect(new Set(idsOf(calls)).size).toBe(1440);
  });

  it('a clock that is set back neither undoes nor repeats events', () => {
    const { at } = createLiveSandbox();
    const late = structuredClone(at(5 * MINUTE_MS));
    expect(differences(at(MINUTE_MS), late)).toEqual([]);
    expect(differences(at(6 * MINUTE_MS), createLiveSandbox().at(6 * MINUTE_MS))).toEqual([]);
  });

  it('the live sandbox has a live call at any time', () => {
    const { sandbox, at } = createLiveSandbox();
    for (let hours = 1; hours <= 24; hours++) {
      const { calls } = at(hours * HOUR_MS + 50 * SECOND_MS);
      const { liveCallId } = sampleIds(sandbox);
      expect(calls.find(({ id }) => id === liveCallId)!.status).toMatch(
        /^(queued_for_calling|calling)$/,
      );
    }
  });
});
