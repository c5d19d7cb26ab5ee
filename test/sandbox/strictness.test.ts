import { describe, expect, it } from 'vitest';
import { createSandbox } from '#sandbox/sandbox.ts';
import { fetchJson, idsOf, STARTED_AT, toRequest } from './sandbox-requests.ts';

const sandbox = createSandbox({ startedAt: STARTED_AT });
const a = sandbox.control.data('sk_demo_a');
const b = sandbox.control.data('sk_demo_b');
const campaignId = a.campaigns[0]!.id;
const rows = `/campaigns/${campaignId}/rows`;

describe('Authentication of the sandbox', () => {
  it.each([
    ['no header', {}],
    ['an unknown key', { authorization: 'Bearer sk_demo_c' }],
    ['no scheme', { authorization: 'sk_demo_a' }],
    ['another scheme', { authorization: 'Basic sk_demo_a' }],
    ['two keys', { authorization: 'Bearer sk_demo_a sk_demo_b' }],
    ['an empty key', { authorization: 'Bearer ' }],
  ])('the sandbox rejects a request with %s', async (_name, headers) => {
    const { status, json } = await fetchJson(sandbox, '/assistants', { headers });
    expect([status, typeof json.message]).toEqual([401, 'string']);
  });

  it('the sandbox rejects an unauthenticated request with 401, even if its path does not exist', async () => {
    expect((await fetchJson(sandbox, '/nothing', { headers: {} })).status).toBe(401);
  });

  it.each(['sk_demo_a', 'sk_demo_b'])(
    'the sandbox shows the key %s its own organization only',
    async (key) => {
      const [mine, theirs] = key === 'sk_demo_a' ? [a, b] : [b, a];
      expect((await fetchJson(sandbox, '/assistants', { key })).json.assistants).toEqual(
        mine.assistants,
      );
      expect(
        idsOf((await fetchJson(sandbox, '/call?page=1&page_size=5000', { key })).json.calls),
      ).toEqual(idsOf(mine.attempts));
      for (const [path, wanted] of [
        ['/call/', 'calls'],
        ['/assistants/', 'assistants'],
        ['/campaigns/', 'campaigns'],
      ] as const) {
        expect((await fetchJson(sandbox, path + mine[wanted][0]!.id, { key })).status).toBe(200);
        expect((await fetchJson(sandbox, path + theirs[wanted][0]!.id, { key })).status).toBe(404);
      }
      expect(
        (
          await fetchJson(
            sandbox,
            `/campaigns/${theirs.campaigns[0]!.id}/rows?page=1&page_size=1`,
            { key },
          )
        ).status,
      ).toBe(404);
    },
  );
});

describe('Paths of the sandbox', () => {
  it.each([
    '/nothing',
    '/call/',
    '/call/none/more',
    '/assistants/',
    '/campaigns/',
    `/campaigns/${campaignId}/columns`,
    `${rows}/`,
    '/call/none',
    '/assistants/none',
    '/campaigns/none',
    '/campaigns/none/rows?page=1&page_size=1',
    `/call/${a.attempts[0]!.id}`,
  ])('the sandbox responds with 404 to %s', async (path) => {
    const { status, json } = await fetchJson(sandbox, path);
    expect([status, typeof json.message]).toEqual([404, 'string']);
  });

  it('the sandbox responds with 404 outside its base path', async () => {
    const elsewhere = new Request('http://sandbox.example/call?page=1&page_size=1', {
      headers: { authorization: 'Bearer sk_demo_a' },
    });
    expect((await sandbox.fetch(elsewhere)).status).toBe(404);
    const moved = createSandbox({ startedAt: STARTED_AT, basePath: '' });
    expect((await moved.fetch(elsewhere)).status).toBe(200);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])(
    'the sandbox rejects the method %s',
    async (method) => {
      const { status, headers } = await fetchJson(sandbox, '/assistants', { method });
      expect([status, headers.get('allow')]).toEqual([405, 'GET']);
    },
  );

  it('the sandbox decodes a path segment once', async () => {
    const { id } = a.calls[0]!;
    const encoded = [...id].map((character) => `%${character.charCodeAt(0).toString(16)}`).join('');
    expect((await fetchJson(sandbox, `/call/${encoded}`)).json.call.id).toBe(id);
    expect((await fetchJson(sandbox, `/call/${encodeURIComponent(encoded)}`)).status).toBe(404);
    expect((await fetchJson(sandbox, `/call%2F${id}`)).status).toBe(404);
    expect((await fetchJson(sandbox, '/call/%E0%A4%A')).status).toBe(400);
  });
});

describe('Rejected parameters of the sandbox', () => {
  const lists = ['/call', rows];
  const bad = [
    '',
    '?page=1',
    '?page_size=10',
    '?page=&page_size=10',
    '?page=1&page_size=',
    '?page=one&page_size=10',
    '?page=1.5&page_size=10',
    '?page=1.0&page_size=10',
    '?page=1e1&page_size=10',
    '?page=01&page_size=10',
    '?page=%2B1&page_size=10',
    '?page=%201&page_size=10',
    '?page=-1&page_size=10',
    '?page=0&page_size=10',
    '?page=1&page_size=0',
    '?page=1&page_size=-5',
    '?page=1&page_size=2.5',
    '?page=9007199254740992&page_size=10',
    '?page=1&page_size=9007199254740992',
    '?page=1&page=2&page_size=10',
    '?page=1&page_size=10&page_size=10',
    '?page=1&pageSize=10',
    '?page=1&page_size=10&limit=10',
    '?page=1&page_size=10&statuses=',
    '?page=1&page_size=10&statuses=ringing',
    '?page=1&page_size=10&statuses=Completed',
    '?page=1&page_size=10&statuses=completed,',
    '?page=1&page_size=10&statuses=completed,+errored',
  ];
  it.each(
    lists.flatMap((list) =>
      bad.map((query) => [list.replace(campaignId, '…') + query, list + query]),
    ),
  )('the sandbox rejects the list parameters of %s', async (_name, path) => {
    const { status, json } = await fetchJson(sandbox, path);
    expect([status, typeof json.message]).toEqual([400, 'string']);
  });

  it.each([
    `${rows}?page=1&page_size=10&result=IVR&result=human`,
    `${rows}?page=1&page_size=10&result=`,
    `${rows}?page=1&page_size=10&result=ivr`,
    `${rows}?page=1&page_size=10&query=a&query=b`,
    `${rows}?page=1&page_size=10&statuses=completed&statuses=errored`,
    `${rows}?page=1&page_size=10&statuses[]=completed`,
    '/call?page=1&page_size=10&query=a',
    '/call?page=1&page_size=10&result=human',
    '/assistants?page=1',
    `/assistants/${a.assistants[0]!.id}?page=1`,
    '/campaigns?page=1',
    `/campaigns/${campaignId}?page=1`,
    `/call/${a.calls[0]!.id}?page=1`,
  ])('the sandbox rejects the parameters of %s', async (path) => {
    expect((await fetchJson(sandbox, path)).status).toBe(400);
  });

  it('the sandbox accepts the largest safe integers', async () => {
    expect(
      (await fetchJson(sandbox, '/call?page=9007199254740991&page_size=9007199254740991')).json,
    ).toEqual({ calls: [] });
    expect(
      (await fetchJson(sandbox, `${rows}?page=1&page_size=9007199254740991`)).json.rows,
    ).toHaveLength(500);
  });
});

describe('Filters of the sandbox', () => {
  const forms = {
    comma: 'statuses=cancelled,errored',
    repeat: 'statuses=cancelled&statuses=errored',
    brackets: 'statuses[]=cancelled&statuses[]=errored',
  };
  const expected = idsOf(
    a.attempts.filter(({ id }) =>
      a.calls.some(
        (call) =>
          ['cancelled', 'errored'].includes(call.status) && idsOf(call.call_attempts).includes(id),
      ),
    ),
  );

  describe.each(['comma', 'repeat', 'brackets'] as const)(
    'Array format %s of GET /call',
    (arrayFormat) => {
      const speaking = createSandbox({ startedAt: STARTED_AT, arrayFormat });
      it.each(['comma', 'repeat', 'brackets'] as const)(
        'GET /call accepts only its own array format: statuses in %s',
        async (form) => {
          const { status, json } = await fetchJson(
            speaking,
            `/call?page=1&page_size=5000&${forms[form]}`,
          );
          if (form === arrayFormat) expect([status, idsOf(json.calls)]).toEqual([200, expected]);
          else expect(status).toBe(400);
        },
      );
      it('the rows accept their statuses as one string in every array format', async () => {
        const { status } = await fetchJson(
          speaking,
          `${rows}?page=1&page_size=1&statuses=completed,errored`,
        );
        expect(status).toBe(200);
      });
    },
  );

  it('the statuses of GET /call filter attempts by the status of their order', async () => {
    expect(expected.length).toBeGreaterThan(0);
    const { json } = await fetchJson(sandbox, '/call?page=1&page_size=5000&statuses=errored');
    const statuses = new Set(json.calls.map((attempt: { status: string }) => attempt.status));
    expect(statuses).toEqual(new Set(['error']));
    const scheduled = await fetchJson(sandbox, '/call?page=1&page_size=5000&statuses=scheduled');
    expect(scheduled.json.calls).toHaveLength(48);
  });

  const allRows = a.rows[campaignId]!;

  it.each([
    'initializing',
    'queued_for_calling',
    'calling',
    'scheduled',
    'completed',
    'cancelled',
    'errored',
  ])('each list is filtered by the status %s', async (status) => {
    const ofOrder = a.calls.filter((call) => call.status === status);
    const wanted = a.attempts.filter(({ id }) =>
      ofOrder.some((call) => idsOf(call.call_attempts).includes(id)),
    );
    const { json } = await fetchJson(sandbox, `/call?page=1&page_size=5000&statuses=${status}`);
    expect(idsOf(json.calls)).toEqual(idsOf(wanted));
    expect(idsOf((await fetchRows(`statuses=${status}`)).rows)).toEqual(
      idsOf(allRows.filter((row) => row.call?.status === status)),
    );
  });

  it.each(['paused', 'Completed', 'all', ''])('no list has the status %j', async (status) => {
    for (const path of ['/call', rows]) {
      const response = await fetchJson(sandbox, `${path}?page=1&page_size=1&statuses=${status}`);
      expect(response).toMatchObject({
        status: 400,
        json: {
          message:
            'statuses must be one of: initializing, queued_for_calling, calling, scheduled, completed, cancelled, errored',
        },
      });
    }
  });

  it.each(['busy', 'Human', ''])('rows have no result %j', async (result) => {
    expect(await fetchJson(sandbox, `${rows}?page=1&page_size=1&result=${result}`)).toMatchObject({
      status: 400,
      json: {
        message:
          'result must be one of: IVR, voicemail, human, unknown, ios-screening-filter, all, none',
      },
    });
  });
  const fetchRows = async (filter: string) =>
    (await fetchJson(sandbox, `${rows}?page=1&page_size=1000&${filter}`)).json;

  it.each(['IVR', 'voicemail', 'human', 'unknown', 'ios-screening-filter'])(
    'the result filter finds rows whose last attempt has the result %s',
    async (result) => {
      const wanted = allRows.filter((row) => row.call?.last_call_attempt?.result === result);
      const { rows: found, total } = await fetchRows(`result=${result}`);
      expect(idsOf(found)).toEqual(idsOf(wanted));
      expect(total).toBe(wanted.length);
    },
  );

  it('the result filter finds rows without a result, and all rows', async () => {
    const none = await fetchRows('result=none');
    expect(idsOf(none.rows)).toEqual(
      idsOf(allRows.filter((row) => (row.call?.last_call_attempt?.result ?? null) === null)),
    );
    expect(none.total).toBeGreaterThan(310);
    expect((await fetchRows('result=all')).total).toBe(500);
  });

  it('the statuses filter finds rows by the status of their order', async () => {
    const wanted = allRows.filter(
      (row) => row.call?.status === 'calling' || row.call?.status === 'scheduled',
    );
    expect(wanted.length).toBeGreaterThan(0);
    expect(idsOf((await fetchRows('statuses=calling,scheduled')).rows)).toEqual(idsOf(wanted));
  });

  it('the query filter finds rows by text in the phone number or the input data, in upper or lower case', async () => {
    const row = allRows[7]!;
    expect(
      idsOf((await fetchRows(`query=${encodeURIComponent(row.phone_number)}`)).rows),
    ).toContain(row.id);
    const name = row.input_data.last_name!;
    const found = (await fetchRows(`query=${name.toUpperCase()}`)).rows;
    expect(idsOf(found)).toEqual(
      idsOf(
        allRows.filter(({ input_data }) =>
          Object.values(input_data).some((value) => value.includes(name)),
        ),
      ),
    );
    expect((await fetchRows('query=no%20such%20name')).total).toBe(0);
  });

  it('the filters of rows can be combined', async () => {
    const { rows: found } = await fetchRows('result=human&statuses=completed&query=a');
    const wanted = allRows.filter(
      (row) =>
        row.call?.status === 'completed' &&
        row.call.last_call_attempt?.result === 'human' &&
        [row.phone_number, ...Object.values(row.input_data)].some((value) => /a/i.test(value)),
    );
    expect(wanted.length).toBeGreaterThan(0);
    expect(idsOf(found)).toEqual(idsOf(wanted));
  });
});

describe('Log of the sandbox', () => {
  it('the sandbox logs each request, whether it succeeds or is rejected', async () => {
    const logged = createSandbox({ startedAt: STARTED_AT, now: () => STARTED_AT + 5 });
    await fetchJson(logged, '/call?page=1&page_size=2');
    await fetchJson(logged, '/assistants', { key: 'unknown' });
    await fetchJson(logged, '/campaigns', { key: 'sk_demo_b' });
    const [one, other] = logged.organizations;
    expect(logged.log).toEqual([
      {
        method: 'GET',
        path: '/call?page=1&page_size=2',
        organizationId: one!.id,
        status: 200,
        aborted: false,
        at: STARTED_AT + 5,
      },
      {
        method: 'GET',
        path: '/assistants',
        organizationId: null,
        status: 401,
        aborted: false,
        at: STARTED_AT + 5,
      },
      {
        method: 'GET',
        path: '/campaigns',
        organizationId: other!.id,
        status: 200,
        aborted: false,
        at: STARTED_AT + 5,
      },
    ]);
    logged.control.clearLog();
    expect(logged.log).toEqual([]);
  });

  it('the sandbox does not log a request that was aborted before it was sent', async () => {
    const logged = createSandbox({ startedAt: STARTED_AT });
    await expect(
      logged.fetch(toRequest(logged, '/assistants', { signal: AbortSignal.abort() })),
    ).rejects.toThrow();
    expect(logged.log).toEqual([]);
  });
});
