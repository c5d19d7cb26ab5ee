import { expect, it } from 'vitest';
import { createSandbox } from '#sandbox/sandbox.ts';
import { fetchJson, idsOf, STARTED_AT } from './sandbox-requests.ts';

const createSandboxScene = () => {
  const sandbox = createSandbox({ startedAt: STARTED_AT, now: () => STARTED_AT });
  const { control } = sandbox;
  const data = control.data('sk_demo_a');
  const list = async (query = '') =>
    (await fetchJson(sandbox, `/call?page=1&page_size=5000${query}`)).json.calls as {
      id: string;
      started_at: string | null;
    }[];
  return { sandbox, control, data, list };
};

it('insertAttempts adds attempts to the list, each with its own order', async () => {
  const { sandbox, control, data, list } = createSandboxScene();
  const before = idsOf(data.attempts);
  const top = control.insertAttempts('sk_demo_a', { at: 0, count: 3 });
  const middle = control.insertAttempts('sk_demo_a', {
    at: 100,
    items: [{ id: 'mine', result: 'IVR' }],
    status: 'errored',
  });
  const expected = [...idsOf(top), ...before];
  expected.splice(100, 0, 'mine');
  expect(idsOf(await list())).toEqual(expected);
  expect(middle).toMatchObject([{ id: 'mine', result: 'IVR', status: 'completed' }]);
  expect(idsOf(await list('&statuses=errored'))).toContain('mine');
  const order = data.calls.find((call) => call.last_call_attempt?.id === 'mine')!;
  expect((await fetchJson(sandbox, `/call/${order.id}`)).json.call).toMatchObject({
    status: 'errored',
    calls_count: 1,
  });
});

it('insertAttempts keeps the list in order when attempts are inserted below the top', async () => {
  const { control, list } = createSandboxScene();
  control.insertAttempts('sk_demo_a', { at: 700, count: 2 });
  control.insertAttempts('sk_demo_a', { at: 2072, count: 1 });
  const times = (await list()).flatMap(({ started_at }) => started_at ?? []);
  expect(times).toEqual([...times].sort().reverse());
});

it('removeAttempts removes attempts and keeps their orders', async () => {
  const { sandbox, control, data, list } = createSandboxScene();
  const call = data.calls.find(({ call_attempts }) => call_attempts.length === 3)!;
  const before = idsOf(data.attempts);
  const gone = idsOf(call.call_attempts);
  control.removeAttempts('sk_demo_a', gone);
  expect(idsOf(await list())).toEqual(before.filter((id) => !gone.includes(id)));
  expect((await fetchJson(sandbox, `/call/${call.id}`)).json.call.calls_count).toBe(3);
});

it('insertRows and removeRows change the rows of a campaign', async () => {
  const { sandbox, control, data } = createSandboxScene();
  const { id } = data.campaigns[0]!;
  const rows = async () =>
    (await fetchJson(sandbox, `/campaigns/${id}/rows?page=1&page_size=1000`)).json;
  const before = idsOf(data.rows[id]!);
  const added = control.insertRows('sk_demo_a', id, {
    at: 10,
    items: [{ input_data: { first_name: 'Zoé' } }, {}],
  });
  expect(idsOf((await rows()).rows)).toEqual([
    ...before.slice(0, 10),
    ...idsOf(added),
    ...before.slice(10),
  ]);
  expect((await rows()).total).toBe(502);
  expect(added.map(({ row_index }) => row_index)).toEqual([500, 501]);
  control.removeRows('sk_demo_a', id, [before[0]!, added[1]!.id]);
  expect(idsOf((await rows()).rows)).toEqual([
    ...before.slice(1, 10),
    added[0]!.id,
    ...before.slice(10),
  ]);
});

it('putCall replaces a call in every list that shows it', async () => {
  const { sandbox, control, data, list } = createSandboxScene();
  const row = data.rows[data.campaigns[0]!.id]!.find(({ call }) => call?.calls_count === 2)!;
  const call = structuredClone(row.call!);
  const [last, first] = call.call_attempts;
  const order = idsOf(data.attempts);
  control.putCall('sk_demo_a', {
    ...call,
    status: 'cancelled',
    is_cancelled: true,
    is_completed: false,
    call_attempts: [first!],
    last_call_attempt: first!,
    calls_count: 1,
  });
  expect((await fetchJson(sandbox, `/call/${call.id}`)).json.call.status).toBe('cancelled');
  expect(idsOf(await list())).toEqual(order.filter((id) => id !== last!.id));
  expect(idsOf(await list('&statuses=cancelled'))).toContain(first!.id);
  expect(row.call!.status).toBe('cancelled');
  expect(data.calls).toHaveLength(720);
});

it('putCall adds a call, and removeCall removes a call from every list that shows it', async () => {
  const { sandbox, control, data, list } = createSandboxScene();
  const row = data.rows[data.campaigns[0]!.id]!.find(({ call }) => call?.calls_count === 2)!;
  const call = row.call!;
  const order = idsOf(data.attempts);
  control.removeCall('sk_demo_a', call.id);
  expect((await fetchJson(sandbox, `/call/${call.id}`)).status).toBe(404);
  expect(idsOf(await list())).toEqual(
    order.filter((id) => !idsOf(call.call_attempts).includes(id)),
  );
  expect(row).not.toHaveProperty('call');
  control.putCall('sk_demo_a', call);
  expect((await fetchJson(sandbox, `/call/${call.id}`)).status).toBe(200);
  expect(idsOf(await list())).toEqual(order);
});

it('the sandbox shows every other change of its data', async () => {
  const { sandbox, data } = createSandboxScene();
  const assistant = data.assistants[3]!;
  assistant.name = 'Renamed';
  expect((await fetchJson(sandbox, `/assistants/${assistant.id}`)).json.name).toBe('Renamed');
  data.attempts.reverse();
  expect((await fetchJson(sandbox, '/call?page=1&page_size=1')).json.calls[0].id).toBe(
    data.attempts[0]!.id,
  );
});

it('the sandbox lists a manually added attempt under no status, because it has no order', async () => {
  const { data, list } = createSandboxScene();
  data.attempts.unshift({ ...data.attempts[100]!, id: 'by hand' });
  expect(idsOf(await list())[0]).toBe('by hand');
  const every =
    '&statuses=initializing,queued_for_calling,calling,scheduled,completed,cancelled,errored';
  expect(idsOf(await list(every))).toEqual(idsOf(data.attempts).slice(1));
});

it('the sandbox control rejects an unknown key', () => {
  expect(() => createSandboxScene().control.data('sk_demo_c')).toThrow('sk_demo_c');
});

it('a started call is queued, rings, is answered and ends, also in static data', async () => {
  const scene = { time: STARTED_AT };
  const sandbox = createSandbox({ startedAt: STARTED_AT, now: () => scene.time });
  const { control } = sandbox;
  const id = control.startCall('sk_demo_a', { queueMs: 1_000, ringMs: 2_000, talkMs: 4_000 });
  const stateAt = async (ms: number) => {
    scene.time = STARTED_AT + ms;
    const { call } = (await fetchJson(sandbox, `/call/${id}`)).json;
    const { status, transcript = [] } = call.last_call_attempt;
    return `${call.status}/${status} ${transcript.length}`;
  };
  const states = [];
  for (const ms of [0, 1_000, 3_000, 6_999, 7_000]) states.push(await stateAt(ms));
  expect(states).toEqual([
    'queued_for_calling/queued 0',
    'calling/ringing 0',
    'calling/ongoing 1',
    'calling/ongoing 1',
    'completed/completed 2',
  ]);
  expect(control.requestCounts().get(`/call/${id}`)).toBe(5);
  control.removeCall('sk_demo_a', id);
  expect((await fetchJson(sandbox, `/call/${id}`)).status).toBe(404);
});
