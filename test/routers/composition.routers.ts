import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSchema, isEnumType, isInterfaceType, isObjectType } from 'graphql';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { serveTestGateway } from '../support/served-gateway.ts';
import { taggedIn } from '../support/tagged-elements.ts';
import { type Composer, compose, run } from './composers.ts';
import { serveContacts } from './contacts-subgraph.ts';
import { expectRouters, hasRouters } from './installed.ts';
import { ROUTER_SECRET, ROUTERS } from './router-process.ts';
import { askAt, startSupergraph, subgraphSdl, toSubgraphs } from './supergraph.ts';

expectRouters();

const SUBGRAPHS = toSubgraphs({
  revox: 'http://revox.test/graphql',
  contacts: 'http://contacts.test/graphql',
});
const COMPOSERS: readonly Composer[] = ['apollo', 'hive', 'cosmo'];
const CONTRACT_COMPOSERS: readonly Composer[] = ['hive', 'cosmo'];

describe.skipIf(!hasRouters)('With the subgraph of another team it composes', () => {
  test.each(COMPOSERS)('by %s, without a word of complaint', async (composer) => {
    const { errors, publicSdl } = await compose(composer, SUBGRAPHS);
    expect(errors).toEqual([]);
    expect(fieldsOf(publicSdl!)).toEqual(fieldsOfBoth());
  });

  test('by wgc, which has asked the running gateway for its SDL', async () => {
    await using world = await serveTestGateway({
      settings: { ROUTER_SECRETS: ROUTER_SECRET, INTROSPECTION: 'off' },
    });
    await using contacts = await serveContacts();
    const directory = await mkdtemp(join(tmpdir(), 'wgc-'));
    try {
      const [graph, config] = [join(directory, 'graph.yaml'), join(directory, 'config.json')];
      const headers = { 'Router-Authorization': ROUTER_SECRET };
      const subgraphs = [
        { name: 'revox', routing_url: world.url, introspection: { url: world.url, headers } },
        { name: 'contacts', routing_url: contacts.url, introspection: { url: contacts.url } },
      ];
      await writeFile(graph, stringify({ version: 1, subgraphs }));
      const said = await run([
        'node_modules/wgc/dist/src/index.js',
        'router',
        'compose',
        '-i',
        graph,
        '-o',
        config,
      ]);
      expect(said).toMatch(/^Router config successfully written to \S+\s*$/);
      const { engineConfig } = JSON.parse(await readFile(config, 'utf8'));
      expect(fieldsOf(engineConfig.graphqlSchema)).toEqual(fieldsOfBoth());
      expect(world.traffic()).toEqual([]);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test('and the running gateway says the same of itself as the file for the registry, to a router alone', async () => {
    await using world = await serveTestGateway({
      settings: { ROUTER_SECRETS: ROUTER_SECRET, INTROSPECTION: 'off' },
    });
    const ask = (headers: Record<string, string>) =>
      askAt(world.url, '{ _service { sdl } }', {}, headers);
    expect(await ask({ 'router-authorization': ROUTER_SECRET })).toEqual({
      data: { _service: { sdl: subgraphSdl } },
    });
    expect(await ask({})).toEqual({
      errors: [
        expect.objectContaining({
          extensions: expect.objectContaining({ code: 'UNAUTHENTICATED' }),
        }),
      ],
    });
    expect(world.traffic()).toEqual([]);
  });
});

describe.skipIf(!hasRouters)('A contract without personal data', () => {
  test.each(CONTRACT_COMPOSERS)('composes by %s, and has everything else', async (composer) => {
    const { errors, publicSdl } = await compose(composer, SUBGRAPHS, ['pii']);
    expect(errors).toEqual([]);
    const personal = SUBGRAPHS.flatMap(({ sdl }) => taggedIn(sdl, 'pii'));
    expect(personal).toContain('Call.toPhoneNumber');
    expect(fieldsOf(publicSdl!)).toEqual(
      fieldsOfBoth().filter((field) => !personal.includes(field.replace(/:.*/, ''))),
    );
  });

  test.each(ROUTERS.filter(({ composer }) => composer === 'hive'))(
    'is kept by $name, which still finds the contact of a call by its number',
    async (kind) => {
      await using supergraph = await startSupergraph(kind, ['pii']);
      await using world = await supergraph.serveGateway();
      const [call] = world.sandbox.control.data('sk_demo_a').calls;
      const assistantId = call!.assistant!.id;
      supergraph.contacts.contacts = [
        { phoneNumber: call!.to_phone_number, name: 'Somebody', callIds: [], assistantId },
      ];
      const ask = (field: string) =>
        supergraph.ask(`query ($id: ID!) { call(id: $id) { ${field} } }`, { id: call!.id });

      const hidden = await ask('status toPhoneNumber');
      expect(hidden.data).toBeUndefined();
      expect(hidden.errors).toMatchObject([
        { message: expect.stringContaining('Cannot query field "toPhoneNumber"') },
      ]);
      expect(world.traffic()).toEqual([]);

      const shown = await ask('contact { assistant { id } }');
      expect(shown).toEqual({ data: { call: { contact: { assistant: { id: assistantId } } } } });
      expect(world.traffic()).toEqual([`GET /call/${call!.id}`]);
    },
  );
});

/** `Type.field: Type` and `Type.field(argument): Type`, and the values of enums: all that clients can name. */
function fieldsOf(sdl: string): string[] {
  const types = Object.values(buildSchema(sdl, { assumeValidSDL: true }).getTypeMap()).filter(
    ({ name }) => !name.startsWith('__'),
  );
  return types
    .flatMap((type) => {
      if (isEnumType(type)) return type.getValues().map(({ name }) => `${type.name}.${name}`);
      if (!isObjectType(type) && !isInterfaceType(type)) return [type.name];
      return Object.values(type.getFields()).flatMap((field) => [
        `${type.name}.${field.name}: ${field.type}`,
        ...field.args.map(
          (argument) => `${type.name}.${field.name}(${argument.name}): ${argument.type}`,
        ),
      ]);
    })
    .filter((name) => !/^(String|Int|Float|Boolean|ID|link__.*|.*FieldSet)$/.test(name))
    .sort();
}

/** What a supergraph of both should have. */
function fieldsOfBoth(): string[] {
  return [...new Set(SUBGRAPHS.flatMap(({ sdl }) => fieldsOf(sdl)))].sort();
}
