import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { KEY_A, NO_CACHE } from '../support/test-gateway.ts';
import { expectRouters, hasRouters } from './installed.ts';
import { ROUTERS, type RouterKind } from './router-process.ts';
import { type Supergraph, startSupergraph } from './supergraph.ts';

expectRouters();

const FIRST = '{ callAttempts(first: 2) { cursorItemGone pageInfo { endCursor } } }';
const NEXT =
  'query ($after: String) { list: callAttempts(first: 1, after: $after) { cursorItemGone nodes { status } } }';

/** Reads two pages of a list; meanwhile the item of the cursor and its neighbours disappear. */
async function readAcrossRemoval(supergraph: Supergraph) {
  await using gateway = await supergraph.serveGateway(NO_CACHE);
  const { control } = gateway.sandbox;
  const first = await supergraph.execute(FIRST);
  expect(first.data.callAttempts.cursorItemGone).toBe(false);
  control.removeAttempts(
    KEY_A,
    control
      .data(KEY_A)
      .attempts.slice(0, 20)
      .map(({ id }) => id),
  );
  control.transform('/call?', (body) => ({
    ...body,
    calls: body.calls.map((attempt: object) => ({ ...attempt, status: 'dreaming' })),
  }));
  gateway.traffic();
  const next = await supergraph.execute(NEXT, {
    after: first.data.callAttempts.pageInfo.endCursor,
  });
  expect(gateway.traffic()).toContain('GET /call?page=1&page_size=50');
  expect(next.errors).toBeUndefined();
  return next;
}

const DATA = { list: { cursorItemGone: true, nodes: [{ status: 'UNRECOGNIZED' }] } };

describe.skipIf(!hasRouters).each(ROUTERS)('Extensions through $name', (kind) => {
  test(`${kind.name} drops extensions, and cursorItemGone reports the lost position all the same`, async () => {
    await using supergraph = await startSupergraph(kind);
    const { data, extensions } = await readAcrossRemoval(supergraph);
    expect(data).toEqual(DATA);
    expect(extensions).toBeUndefined();
  });
});

const WITH_PLUGIN: readonly RouterKind[] = ROUTERS.filter(({ name }) =>
  name.startsWith('Hive'),
).map((kind) => ({
  ...kind,
  command: kind.command.map((part) => part.replace('hive.js', 'hive-extensions.js')),
}));

describe.skipIf(!hasRouters).each(WITH_PLUGIN)('Forwarded extensions through $name', (kind) => {
  test(`${kind.name} with the documented plugin returns the extensions, and none of another request`, async () => {
    await using supergraph = await startSupergraph(kind);
    const { data, extensions } = await readAcrossRemoval(supergraph);
    expect(data).toEqual(DATA);
    expect(extensions).toMatchObject({
      pagination: [{ path: [expect.any(String)], reason: 'CURSOR_ITEM_GONE' }],
      unrecognized: [{ type: 'CallAttempt', field: 'status', value: 'dreaming' }],
    });
    await using gateway = await supergraph.serveGateway();
    const plain = await supergraph.execute(FIRST);
    expect(plain.extensions).toBeUndefined();
    expect(gateway.traffic()).toEqual(['GET /call?page=1&page_size=50']);
  });
});

test('the federation guide shows the plugin that the tests run', () => {
  const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
  const [, plugin] = read('processes/forward-extensions.js').split(/^\/\/.*\n/m);
  expect(read('../../docs/guides/federation.md')).toContain(plugin!.trim());
});
