import { readFileSync } from 'node:fs';
import { buildSchema, type GraphQLResolveInfo, isObjectType } from 'graphql';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { keyOf, toEnumName, toFieldName, toKey } from '#binding/names.ts';
import { isWireObject, loadFull } from '#binding/wire-object.ts';
import { createSchema } from '#resolvers/schema.ts';
import {
  boundTypes,
  contractViolations,
  fieldNameOf,
  type JsonSchema,
  type OpenApiDocument,
  objectsOf,
  undescribedParts,
} from './contract-check.ts';

const document = parse(
  readFileSync(new URL('../../schema/revox.openapi.yaml', import.meta.url), 'utf8'),
) as OpenApiDocument;
const schema = createSchema();

describe('Upstream contract and GraphQL schema', () => {
  test('every documented upstream key has a field of the right name and type, and every field has a key', () => {
    expect(contractViolations(document, schema)).toEqual([]);
  });

  test('the OpenAPI document has 19 keys of a call, 13 of an attempt and 23 of an assistant, like the upstream documentation', () => {
    const counts = Object.fromEntries(
      objectsOf(document).map(({ component, keys }) => [component, keys.length]),
    );
    expect(counts).toEqual({
      Assistant: 23,
      Calendly: 2,
      Call: 19,
      CallAttempt: 13,
      CallingWindow: 3,
      CallRetryConfig: 3,
      Campaign: 9,
      CampaignReference: 2,
      CampaignRow: 5,
      DedicatedInstanceLlmModel: 2,
      FaqItem: 5,
      OpenrouterLlmModel: 3,
      StructuredOutputField: 5,
      TranscriptMessage: 5,
      Voice: 3,
    });
  });

  test('every field returns the value of its key', async () => {
    for (const { component, type, keys } of objectsOf(document)) {
      const object = schema.getType(type);
      if (!isObjectType(object)) throw new Error(`${type} is not an object type`);
      for (const key of keys) {
        const value = sample(document.components.schemas[component]?.properties?.[key] ?? {});
        const { resolve } = object.getFields()[fieldNameOf(type, key)]!;
        const read = await resolve!(
          { [key]: value },
          {},
          { driftLog: NO_DRIFT_LOG, responseBudget: UNLIMITED_BUDGET, loaders: {} },
          RESOLVE_INFO as unknown as GraphQLResolveInfo,
        );
        // A partial campaign carries a loader under a symbol, which is not a key.
        expect(
          isWireObject(read) ? JSON.parse(JSON.stringify(read)) : read,
          `${component}.${key}`,
        ).toEqual(value);
      }
    }
  });

  test('the binding derives the key of every bound field from the naming rule', () => {
    for (const { component, type, keys } of objectsOf(document)) {
      for (const key of keys)
        expect(keyOf(type, fieldNameOf(type, key)), `${component}.${key}`).toBe(key);
    }
  });

  test('the naming rule is reversible for every key and field and valid for every enum value', () => {
    const keys = objectsOf(document).flatMap((object) => object.keys);
    const values = Object.values(document.components.schemas).flatMap(
      (component) => component.enum ?? [],
    );
    expect(keys.map((key) => toKey(toFieldName(key)))).toEqual(keys);
    for (const { name, getFields } of boundTypes(schema)) {
      for (const field of Object.keys(getFields()))
        expect(toFieldName(toKey(field)), `${name}.${field}`).toBe(field);
    }
    expect(values.map(toEnumName).filter((name) => !/^[A-Z][A-Z0-9_]*$/.test(name))).toEqual([]);
  });
});

describe('Contract check', () => {
  const withChange = (change: (schemas: Record<string, Mutable>) => void) => {
    const changed = structuredClone(document) as unknown as {
      components: { schemas: Record<string, Mutable> };
    };
    change(changed.components.schemas);
    return contractViolations(changed as unknown as OpenApiDocument, schema);
  };

  test.each(objectsOf(document))(
    'the contract check reports an additional key in $component',
    ({ component, type }) => {
      expect(
        withChange(
          (schemas) => (schemas[component]!.properties!.spoken_language = { type: 'string' }),
        ),
      ).toEqual([`${component}.spoken_language: there is no field ${type}.spokenLanguage`]);
    },
  );

  test.each(
    objectsOf(document)
      .filter(({ component }) => component !== 'CampaignReference')
      .flatMap(({ component, type, keys }) => keys.map((key) => ({ component, type, key }))),
  )(
    'the contract check reports the field of $component.$key as undocumented when the key is removed',
    ({ component, type, key }) => {
      // The id and name of a campaign are documented twice, so the second one must be removed too.
      const faults = withChange((schemas) => {
        delete schemas[component]!.properties![key];
        if (component === 'Campaign') delete schemas.CampaignReference!.properties![key];
      });
      expect(faults).toEqual([`${type}.${fieldNameOf(type, key)}: no key is documented for it`]);
    },
  );

  test('the contract check reports a key whose type has changed', () => {
    expect(
      withChange((schemas) => (schemas.Call!.properties!.to_phone_number = { type: 'boolean' })),
    ).toEqual(['Call.to_phone_number: Call.toPhoneNumber is String, not Boolean']);
    expect(
      withChange(
        (schemas) => (schemas.Call!.properties!.calls_count = { type: ['number', 'string'] }),
      ),
    ).toEqual(['Call.calls_count: Call.callsCount is Int, not undefined']);
  });

  test('the contract check reports an added or removed enum value', () => {
    expect(withChange((schemas) => schemas.CallStatus!.enum!.push('on-hold'))).toEqual([
      'CallStatus: lacks ON_HOLD = on-hold',
    ]);
    expect(withChange((schemas) => schemas.CampaignRowResult!.enum!.pop())).toEqual([
      'CampaignRowResult: NONE = none is documented nowhere',
    ]);
  });

  test('the contract check reports an additional object, enum or language model', () => {
    expect(
      withChange((schemas) => (schemas.Contact = { type: 'object', properties: { id: {} } })),
    ).toEqual(['Contact: there is no type Contact']);
    expect(withChange((schemas) => (schemas.Outcome = { enum: ['won'] }))).toEqual([
      'Outcome: there is no enum Outcome',
    ]);
    expect(
      withChange((schemas) =>
        schemas.LlmModel!.oneOf!.push({ $ref: '#/components/schemas/Voice' }),
      ),
    ).toEqual([
      'LlmModel: is DedicatedInstanceLlmModel | OpenrouterLlmModel | UnrecognizedLlmModel, not DedicatedInstanceLlmModel | OpenrouterLlmModel | UnrecognizedLlmModel | Voice',
    ]);
  });

  test('the contract check reports an undocumented field or enum', () => {
    const invented = buildSchema(
      'type Query { call: Call } type Call { id: ID! mood: Mood } enum Mood { GOOD }',
    );
    const faults = contractViolations(
      { components: { schemas: { Call: { properties: { id: { type: 'string' } } } } } },
      invented,
    );
    expect(faults).toEqual([
      'Call.mood: no key is documented for it',
      'Mood: no enum is documented for it',
    ]);
  });
});

describe('Descriptions', () => {
  test('every type, field, argument and enum value has a description', () => {
    expect(undescribedParts(schema)).toEqual([]);
  });

  test('the description check reports every part without a description', () => {
    const bare = buildSchema(
      'type Query { call(id: ID!): Mood } enum Mood { GOOD } interface Thing { id: ID } input Wish { what: ID }',
    );
    expect(undescribedParts(bare)).toEqual([
      'Query',
      'Query.call',
      'Query.call(id:)',
      'Mood',
      'Mood.GOOD',
      'Thing',
      'Thing.id',
      'Wish',
      'Wish.what',
    ]);
  });

  test('every deprecated field names its replacement', () => {
    const deprecated = boundTypes(schema).flatMap(({ name, getFields }) =>
      Object.values(getFields()).flatMap((field) =>
        field.deprecationReason ? [`${name}.${field.name}: ${field.deprecationReason}`] : [],
      ),
    );
    expect(deprecated).toEqual([
      expect.stringMatching(/^Call\.isCancelled: .*Use `status`/),
      expect.stringMatching(/^Call\.isCompleted: .*Use `status`/),
    ]);
  });

  test('every custom scalar has a specification URL', () => {
    const own = ['DateTime', 'SafeInt', 'JSON'].map((name) => schema.getType(name));
    expect(own.map((type) => type && 'specifiedByURL' in type && type.specifiedByURL)).toEqual([
      'https://www.rfc-editor.org/rfc/rfc3339#section-5.6',
      'https://262.ecma-international.org/#sec-number.max_safe_integer',
      'https://www.rfc-editor.org/rfc/rfc8259',
    ]);
  });
});

interface Mutable {
  type?: string | string[];
  enum?: string[];
  oneOf?: { $ref: string }[];
  $ref?: string;
  properties?: Record<string, Mutable>;
}

const UNLIMITED_BUDGET = {
  isExceeded: false,
  addBytes: () => {},
  addString: () => {},
  addError: () => {},
};
const RESOLVE_INFO = {
  path: { prev: undefined, key: 'field', typename: undefined },
  fieldNodes: [],
  fragments: {},
};
const NO_DRIFT_LOG = {
  reportUnrecognized: (type: string, field: string) =>
    expect.unreachable(`${type}.${field} is not recognized`),
  report: (kind: string, type: string, field: string) =>
    expect.unreachable(`${type}.${field} is ${kind}`),
};

/** A value that the schema of the document allows. Follows references. */
function sample({ $ref, anyOf, oneOf, ...own }: JsonSchema): unknown {
  const name = $ref?.replace('#/components/schemas/', '');
  if (name === 'Timestamp') return '2024-06-01T12:00:00Z';
  if (name) return sample(document.components.schemas[name] ?? {});
  const [alternative] = anyOf ?? oneOf ?? [];
  if (alternative) return sample(alternative);
  if (own.enum) return own.enum.at(-1);
  if (own.const) return own.const;
  switch ([own.type].flat()[0]) {
    case 'array':
      return [sample(own.items ?? {})];
    case 'boolean':
      return true;
    case 'integer':
    case 'number':
      return 7;
    case 'object':
      return own.properties
        ? Object.fromEntries(
            Object.entries(own.properties).map(([key, value]) => [key, sample(value)]),
          )
        : { any: ['thing'] };
    default:
      return 'text';
  }
}

test('a partial campaign is loaded only for the keys that it lacks', async () => {
  const { resolve } = (
    schema.getType('Call') as {
      getFields(): Record<string, { resolve?: (...args: unknown[]) => unknown }>;
    }
  ).getFields().campaign!;
  let loads = 0;
  const loaders = {
    campaign: async (id: string) => ({ id, name: 'Renamed', status: 'running', loads: ++loads }),
  };
  const campaign = (await resolve!(
    { campaign: { id: 'c1', name: 'As it was' } },
    {},
    { loaders, responseBudget: UNLIMITED_BUDGET },
    RESOLVE_INFO,
  )) as object;
  expect(campaign).toMatchObject({ id: 'c1', name: 'As it was' });
  expect(loads).toBe(0);
  expect(await loadFull(campaign)).toMatchObject({ status: 'running', loads: 1 });
});
