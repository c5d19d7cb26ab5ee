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
import { subscribeAt, untilTrue } from './live-calls.ts';
import { ROUTER_SECRET, ROUTERS } from './router-process.ts';
import { executeAt, startSupergraph, subgraphSdl, toSubgraphs } from './supergraph.ts';

expectRouters();

const SUBGRAPHS = toSubgraphs({
  revox: 'http://revox.test/graphql',
  contacts: 'http://contacts.test/graphql',
});
const ROOT = join(import.meta.dirname, '../..');
const WGC = 'node_modules/wgc/dist/src/index.js';
const COMPOSERS: readonly Composer[] = ['apollo', 'hive', 'cosmo'];
const CONTRACT_COMPOSERS: readonly Composer[] = ['hive', 'cosmo'];

/** Composers expect at least this version where a subgraph has subscriptions. */
const FEDERATION_LINK = 'schema @link(url: "https://specs.apollo.dev/federation/v2.4"';

const SUBSCRIPTION_FIELDS = fieldsOf(subgraphSdl).filter((name) =>
  /^Subscription\.\w+:/.test(name),
);

describe.skipIf(!hasRouters)("Composition with another team's subgraph", () => {
  test.each(COMPOSERS)(
    'the subgraph composes with %s without errors, warnings or hints',
    async (composer) => {
      const { errors, publicSdl } = await compose(composer, SUBGRAPHS);
      expect(errors).toEqual([]);
      expect(fieldsOf(publicSdl!)).toEqual(fieldsOfBoth());
      expect(SUBSCRIPTION_FIELDS).toContain('Subscription.callUpdated: Call');
      expect(subgraphSdl.startsWith(FEDERATION_LINK)).toBe(true);
    },
  );

  test('wgc composes a gateway whose SDL it introspects at run time', async () => {
    await using gateway = await serveTestGateway({
      settings: { ROUTER_SECRETS: ROUTER_SECRET, INTROSPECTION: 'off' },
    });
    await using contacts = await serveContacts();
    const directory = await mkdtemp(join(tmpdir(), 'wgc-'));
    try {
      const [graph, config] = [join(directory, 'graph.yaml'), join(directory, 'config.json')];
      const headers = { 'Router-Authorization': ROUTER_SECRET };
      const subgraphs = [
        { name: 'revox', routing_url: gateway.url, introspection: { url: gateway.url, headers } },
        { name: 'contacts', routing_url: contacts.url, introspection: { url: contacts.url } },
      ];
      await writeFile(graph, stringify({ version: 1, subgraphs }));
      const printed = await run([WGC, 'router', 'compose', '-i', graph, '-o', config]);
      expect(printed).toMatch(/^Router config successfully written to \S+\s*$/);
      const { engineConfig } = JSON.parse(await readFile(config, 'utf8'));
      expect(fieldsOf(engineConfig.graphqlSchema)).toEqual(fieldsOfBoth());
      expect(gateway.traffic()).toEqual([]);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test('wgc composes the documented configuration: Cosmo Router subscribes over SSE by POST', async () => {
    const guide = await readFile(join(ROOT, 'docs/guides/federation.md'), 'utf8');
    const [, documented = ''] = /```yaml\n(version: 1\n[^`]+)```/.exec(guide) ?? [];
    const directory = await mkdtemp(join(tmpdir(), 'wgc-'));
    try {
      const [graph, config] = [join(directory, 'graph.yaml'), join(directory, 'config.json')];
      await writeFile(graph, documented.replace('sdl/', join(ROOT, 'sdl/')));
      await run([WGC, 'router', 'compose', '-i', graph, '-o', config]);
      const { engineConfig } = JSON.parse(await readFile(config, 'utf8'));
      expect(
        engineConfig.datasourceConfigurations.map(
          ({ customGraphql }: { readonly customGraphql: { readonly subscription: object } }) =>
            customGraphql.subscription,
        ),
      ).toEqual([
        expect.objectContaining({
          enabled: true,
          protocol: 'GRAPHQL_SUBSCRIPTION_PROTOCOL_SSE_POST',
        }),
      ]);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test("the running gateway returns the registry's SDL, and only to a router", async () => {
    await using gateway = await serveTestGateway({
      settings: { ROUTER_SECRETS: ROUTER_SECRET, INTROSPECTION: 'off' },
    });
    const execute = (headers: Record<string, string>) =>
      executeAt(gateway.url, '{ _service { sdl } }', {}, headers);
    expect(await execute({ 'router-authorization': ROUTER_SECRET })).toEqual({
      data: { _service: { sdl: subgraphSdl } },
    });
    expect(await execute({})).toEqual({
      errors: [
        expect.objectContaining({
          extensions: expect.objectContaining({ code: 'UNAUTHENTICATED' }),
        }),
      ],
    });
    expect(gateway.traffic()).toEqual([]);
  });
});

/** The SDL of a third team, which knows nothing of this gateway. */
const toStranger = (sdl: string) => ({
  name: 'stranger',
  url: 'http://stranger.test/graphql',
  sdl: `extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])\n${sdl}`,
});

describe.skipIf(!hasRouters)('Composition with a team that uses the same names', () => {
  test.each(COMPOSERS)(
    "%s merges another team's Campaign with the same key into Campaign of the gateway",
    async (composer) => {
      const stranger = toStranger(
        'type Query { adCampaigns: [Campaign!] } type Campaign @key(fields: "id") { id: ID! clicks: Int }',
      );
      const { errors, publicSdl } = await compose(composer, [...SUBGRAPHS, stranger]);
      expect(errors).toEqual([]);
      expect(fieldsOf(publicSdl!)).toEqual(
        expect.arrayContaining(['Campaign.clicks: Int', 'Campaign.assistantId: ID']),
      );
    },
  );

  test.each(COMPOSERS)(
    '%s merges a DateTime that another team specifies in another way, and only Apollo gives a hint',
    async (composer) => {
      const stranger = toStranger(
        'type Query { today: DateTime } scalar DateTime @specifiedBy(url: "https://stranger.test/days-since-1970")',
      );
      const { errors, publicSdl } = await compose(composer, [...SUBGRAPHS, stranger]);
      expect(errors).toEqual(
        composer === 'apollo'
          ? [
              expect.stringMatching(
                /^\[INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS\].*"DateTime"/,
              ),
            ]
          : [],
      );
      expect(fieldsOf(publicSdl!)).toEqual(
        expect.arrayContaining(['Query.today: DateTime', 'Call.createdAt: DateTime']),
      );
    },
  );

  test.each(COMPOSERS)(
    '%s adds the subscriptions of another team, and reports one of the same name',
    async (composer) => {
      const composeWith = (field: string) => {
        const stranger = toStranger(
          `type Subscription { ${field}: Campaign } type Campaign @key(fields: "id") { id: ID! clicks: Int }`,
        );
        return compose(composer, [...SUBGRAPHS, stranger]);
      };
      const { errors, publicSdl } = await composeWith('adClicked');
      expect(errors).toEqual([]);
      expect(fieldsOf(publicSdl!)).toEqual(
        expect.arrayContaining(['Subscription.adClicked: Campaign', ...SUBSCRIPTION_FIELDS]),
      );
      const rejected = await composeWith('callUpdated');
      expect(rejected.publicSdl).toBeUndefined();
      expect(rejected.errors.join()).toContain('callUpdated');
    },
  );

  test.each(COMPOSERS)(
    '%s reports a field of the same name with another type',
    async (composer) => {
      const stranger = toStranger(
        'type Query { ads: [Campaign!] } type Campaign @key(fields: "id") { id: ID! name: Int @shareable }',
      );
      const { errors } = await compose(composer, [...SUBGRAPHS, stranger]);
      expect(errors).not.toEqual([]);
    },
  );
});

describe.skipIf(!hasRouters)('Contract without internal settings', () => {
  test.each(CONTRACT_COMPOSERS)(
    'the contract composes with %s and contains everything except internal settings',
    async (composer) => {
      const { errors, publicSdl } = await compose(composer, SUBGRAPHS, ['internal']);
      expect(errors).toEqual([]);
      const fields = fieldsOf(publicSdl!);
      const internal = SUBGRAPHS.flatMap(({ sdl }) => taggedIn(sdl, 'internal'));
      expect(internal).toContain('Assistant.prompt');
      const isReachable = (field: string) => !/^(Calendly|FaqItem|FaqItemSource)\b/.test(field);
      expect(fields).toEqual(expect.arrayContaining(SUBSCRIPTION_FIELDS));
      expect(fields.filter(isReachable)).toEqual(
        fieldsOfBoth()
          .filter(isReachable)
          .filter((field) => !internal.includes(field.replace(/:.*/, ''))),
      );
    },
  );
});

describe.skipIf(!hasRouters)('Contract without personal data', () => {
  test.each(CONTRACT_COMPOSERS)(
    'the contract composes with %s and contains everything except personal data',
    async (composer) => {
      const { errors, publicSdl } = await compose(composer, SUBGRAPHS, ['pii']);
      expect(errors).toEqual([]);
      const personal = SUBGRAPHS.flatMap(({ sdl }) => taggedIn(sdl, 'pii'));
      expect(personal).toContain('Call.toPhoneNumber');
      expect(fieldsOf(publicSdl!)).toEqual(
        fieldsOfBoth().filter((field) => !personal.includes(field.replace(/:.*/, ''))),
      );
    },
  );

  test.each(ROUTERS.filter(({ composer }) => composer === 'hive'))(
    'a contract in $name hides the phone number of a call and still uses it to find the contact',
    async (kind) => {
      await using supergraph = await startSupergraph(kind, ['pii']);
      await using gateway = await supergraph.serveGateway();
      const [call] = gateway.sandbox.control.data('sk_demo_a').calls;
      const assistantId = call!.assistant!.id;
      supergraph.contacts.contacts = [
        { phoneNumber: call!.to_phone_number, name: 'Ann', callIds: [], assistantId },
      ];
      const execute = (field: string) =>
        supergraph.execute(`query ($id: ID!) { call(id: $id) { ${field} } }`, { id: call!.id });

      const hidden = await execute('status toPhoneNumber');
      expect(hidden.data).toBeUndefined();
      expect(hidden.errors).toMatchObject([
        { message: expect.stringContaining('Cannot query field "toPhoneNumber"') },
      ]);
      expect(gateway.traffic()).toEqual([]);

      const shown = await execute('contact { assistant { id } }');
      expect(shown).toEqual({ data: { call: { contact: { assistant: { id: assistantId } } } } });
      expect(gateway.traffic()).toEqual([`GET /call/${call!.id}`]);

      const subscribe = (fields: string) =>
        subscribeAt(
          supergraph.url,
          `subscription { callUpdated(id: "${call!.id}") { ${fields} } }`,
        );
      const rejected = await subscribe('status toPhoneNumber');
      await untilTrue(() => rejected.isEnded());
      expect(rejected.text()).toContain('Cannot query field \\"toPhoneNumber\\"');
      expect(gateway.traffic()).toEqual([]);

      const live = await subscribe('status contact { assistant { id } }');
      await untilTrue(() => live.isEnded());
      expect(live.events.map(({ data }) => data)).toEqual([
        {
          callUpdated: { status: 'COMPLETED', contact: { assistant: { id: assistantId } } },
        },
      ]);
      expect(live.text()).not.toContain(call!.to_phone_number);
    },
  );
});

/**
 * All names that clients can use: `Type.field: Type`, `Type.field(argument): Type`, and enum
 * values.
 */
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

/** The expected names of a supergraph of both subgraphs. */
function fieldsOfBoth(): string[] {
  return [...new Set(SUBGRAPHS.flatMap(({ sdl }) => fieldsOf(sdl)))].sort();
}
