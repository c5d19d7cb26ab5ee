import { describe, expect, test } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import type { ServedGateway } from '../support/served-gateway.ts';
import { serveTestGateway } from '../support/served-gateway.ts';
import { type GraphQLResult, KEY_A, NO_CACHE } from '../support/test-gateway.ts';

type Path = readonly (string | number)[];

async function execute(
  { url }: ServedGateway,
  query: string,
  variables: Record<string, unknown> = {},
) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  return (await response.json()) as GraphQLResult;
}

function valueAt(data: unknown, path: Path): unknown {
  return path.reduce((value, key) => (value as Record<string, unknown>)[key], data);
}

/** All paths of `UNRECOGNIZED` in a result. */
function pathsIn(value: unknown, path: Path = []): Path[] {
  if (value === 'UNRECOGNIZED') return [path];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    pathsIn(item, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}

const sorted = (paths: readonly Path[]) => paths.map((path) => JSON.stringify(path)).sort();

/** Each path leads to its value, and each `UNRECOGNIZED` has a path. */
function expectCompletePaths({ data, errors, extensions }: GraphQLResult): void {
  expect(errors).toBeUndefined();
  const paths = extensions.unrecognized.flatMap((entry: { paths: Path[] }) => entry.paths);
  for (const path of paths) expect(valueAt(data, path)).toBe('UNRECOGNIZED');
  expect(sorted(paths)).toEqual(sorted(pathsIn(data)));
  expect(paths.length).toBeGreaterThan(0);
}

describe('Paths of unrecognized values', () => {
  test('two calls with different unrecognized statuses have each its own value and path', async () => {
    await using gateway = await serveTestGateway({ settings: NO_CACHE });
    const ids = gateway.sandbox.control
      .data(KEY_A)
      .calls.slice(0, 3)
      .map(({ id }) => id);
    for (const [index, status] of ['on-hold', undefined, 'parked'].entries())
      if (status)
        gateway.sandbox.control.transform(`/call/${ids[index]}`, ({ call }) => ({
          call: { ...call, status },
        }));
    const result = await execute(
      gateway,
      'query ($ids: [ID!]!) { calls(ids: $ids) { id now: status } }',
      { ids },
    );
    expectCompletePaths(result);
    expect(result.extensions.unrecognized).toHaveLength(2);
    expect(result.extensions.unrecognized).toEqual(
      expect.arrayContaining([
        { type: 'Call', field: 'status', value: 'on-hold', paths: [['calls', 0, 'now']] },
        { type: 'Call', field: 'status', value: 'parked', paths: [['calls', 2, 'now']] },
      ]),
    );
    expect(gateway.traffic().sort()).toEqual(ids.map((id) => `GET /call/${id}`).sort());
  });

  test('an item after a dropped item has the index of the response, not of the upstream', async () => {
    await using gateway = await serveTestGateway({ settings: NO_CACHE });
    const { richCallId: id } = sampleIds(gateway.sandbox);
    gateway.sandbox.control.transform('/call/', ({ call }) => {
      call.call_attempts = [
        5,
        { ...call.call_attempts[0], status: 'dreaming' },
        { status: 'no id' },
      ];
      return { call };
    });
    const result = await execute(
      gateway,
      'query ($id: ID!) { call(id: $id) { callAttempts { status } } }',
      { id },
    );
    expectCompletePaths(result);
    expect(result.extensions.unrecognized[0].paths).toEqual([
      ['call', 'callAttempts', 0, 'status'],
    ]);
    expect(gateway.traffic()).toEqual([`GET /call/${id}`]);
  });

  test('a value that an operation selects twice, and one behind a further request, have their paths', async () => {
    await using gateway = await serveTestGateway({ settings: NO_CACHE });
    const { control } = gateway.sandbox;
    const call = control.data(KEY_A).calls.find(({ campaign }) => campaign !== null)!;
    control.transform('/campaigns/', ({ campaign }) => ({
      campaign: { ...campaign, status: 'resting' },
    }));
    control.transform('/call/', (body) => ({ call: { ...body.call, direction: 'sideways' } }));
    const result = await execute(
      gateway,
      `query ($id: ID!) { a: call(id: $id) { direction again: direction campaign { id status } }
        node(id: $id) { ... on Call { direction } } }`,
      { id: call.id },
    );
    expectCompletePaths(result);
    expect(sorted(pathsIn(result.data))).toEqual(
      sorted([
        ['a', 'direction'],
        ['a', 'again'],
        ['a', 'campaign', 'status'],
        ['node', 'direction'],
      ]),
    );
    expect(gateway.traffic()).toEqual([
      `GET /call/${call.id}`,
      `GET /campaigns/${call.campaign!.id}`,
    ]);
  });

  test('a connection has the path of each item, in edges and in nodes', async () => {
    await using gateway = await serveTestGateway({ settings: NO_CACHE });
    gateway.sandbox.control.transform('/call?', (body) => ({
      ...body,
      calls: body.calls.map((attempt: object, index: number) => ({
        ...attempt,
        status: index % 2 === 0 ? 'dreaming' : 'completed',
      })),
    }));
    const result = await execute(
      gateway,
      '{ callAttempts(first: 10) { nodes { status } edges { node { status } } } }',
    );
    expectCompletePaths(result);
    expect(result.extensions.unrecognized).toHaveLength(1);
    expect(result.extensions.unrecognized[0].paths).toHaveLength(10);
    expect(gateway.traffic()).toEqual(['GET /call?page=1&page_size=50']);
  });
});

describe('Bound of the paths of unrecognized values', () => {
  const everyStatusIsNew = ({ sandbox }: ServedGateway) =>
    sandbox.control.transform('/call?', (body) => ({
      ...body,
      calls: body.calls.map((attempt: object) => ({ ...attempt, status: 'dreaming' })),
    }));
  const lengthOf = ({ extensions }: GraphQLResult) =>
    JSON.stringify(extensions.unrecognized[0].paths).length;

  test('many paths are listed up to 64 KiB', async () => {
    await using gateway = await serveTestGateway();
    everyStatusIsNew(gateway);
    const aliases = Array.from({ length: 40 }, (_, n) => `a${n}: status`).join(' ');
    const result = await execute(gateway, `{ callAttempts(first: 100) { nodes { ${aliases} } } }`);
    expect(result.errors).toBeUndefined();
    expect(pathsIn(result.data)).toHaveLength(4_000);
    expect(lengthOf(result)).toBeLessThanOrEqual(65_536);
    expect(lengthOf(result)).toBeGreaterThan(50_000);
    expect(gateway.traffic()).toHaveLength(2);
  });

  test('long response names are not repeated beyond 64 KiB', async () => {
    await using gateway = await serveTestGateway();
    everyStatusIsNew(gateway);
    const [list, nodes, status] = ['l', 'n', 's'].map((letter) => letter.repeat(256));
    const result = await execute(
      gateway,
      `{ ${list}: callAttempts(first: 100) { ${nodes}: nodes { ${status}: status } } }`,
    );
    expect(result.errors).toBeUndefined();
    expect(pathsIn(result.data)).toHaveLength(100);
    expect(lengthOf(result)).toBeLessThanOrEqual(65_536);
    expect(result.extensions.unrecognized[0].paths.length).toBeGreaterThan(70);
    expect(gateway.traffic()).toHaveLength(2);
  });
});
