import {
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isSpecifiedScalarType,
  isUnionType,
} from 'graphql';

/** The part of JSON Schema that the document uses. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly properties?: { readonly [key: string]: JsonSchema };
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly maximum?: number;
}

export interface OpenApiDocument {
  readonly components: { readonly schemas: { readonly [name: string]: JsonSchema } };
}

/** Envelopes of upstream responses. The gateway unwraps them before it binds the objects. */
const ENVELOPE = /(Envelope|List|Page)$|^Error$/;

/** Components whose name differs from that of their GraphQL type. */
const TYPE_OF: { readonly [component: string]: string } = { CampaignReference: 'Campaign' };

/** The one exception to the naming rule. */
const FIELD_OF: { readonly [key: string]: string } = { 'Voice.id': 'voiceId' };

/** Fields of the gateway without an upstream key. */
const OWN_TYPES = [
  'Campaign.rows',
  'UnrecognizedLlmModel.raw',
  'UnrecognizedLlmModel.type',
  '_Service.sdl',
];

/** Keys that end in `_id` and contain no id but a URL or the name of a model. */
const TYPES_WITHOUT_ID = ['event_type_id', 'openrouter_model_id'];

/** Scalars that the type in the document does not determine. */
const SCALAR_OF: { readonly [key: string]: string } = {
  calls_count: 'Int',
  pending_faq_count: 'Int',
  row_index: 'Int',
  max_call_duration_secs: 'Float',
  speed: 'Float',
};

/** Non-null fields. All other fields are nullable. */
const NON_NULL_IDS = ['Call', 'CallAttempt', 'Assistant', 'Campaign', 'CampaignRow'];
const NON_NULL_LISTS = ['call_attempts', 'calling_windows'];

/** Enums that occur in arguments only. */
const INPUT_ENUMS = ['CampaignRowResult'];

/** `to_phone_number` → `toPhoneNumber`. Independent of the binding, which it checks. */
export function camelCase(key: string): string {
  const [first, ...others] = key.split('_');
  return [first, ...others.map((word) => word.charAt(0).toUpperCase() + word.slice(1))].join('');
}

/** `ios-screening-filter` → `IOS_SCREENING_FILTER` */
export function screamingCase(value: string): string {
  return [...value]
    .map((character) => (/[a-z0-9]/i.test(character) ? character.toUpperCase() : '_'))
    .join('')
    .replace(/_+/g, '_');
}

/**
 * The expected GraphQL type of a key, or `undefined` if no table contains it, which is a violation
 * too.
 */
export function typeFor(
  document: OpenApiDocument,
  component: string,
  key: string,
): string | undefined {
  const schema = document.components.schemas[component]?.properties?.[key];
  if (key === 'id' && NON_NULL_IDS.includes(TYPE_OF[component] ?? component)) return 'ID!';
  return schema && `${outputType(document, key, schema)}${NON_NULL_LISTS.includes(key) ? '!' : ''}`;
}

function outputType(
  document: OpenApiDocument,
  key: string,
  schema: JsonSchema,
): string | undefined {
  const alternatives = (schema.anyOf ?? []).filter(({ type }) => type !== 'null');
  if (alternatives.length > 1) return 'JSON';
  if (alternatives[0]) return outputType(document, key, alternatives[0]);
  if (schema.$ref) {
    const name = schema.$ref.replace('#/components/schemas/', '');
    return name === 'Timestamp' ? 'DateTime' : (TYPE_OF[name] ?? name);
  }
  const [type, ...others] = [schema.type ?? []].flat().filter((name) => name !== 'null');
  if (schema.const !== undefined) return 'String';
  if (others.length > 0) return undefined;
  if (type === 'array') return `[${outputType(document, '', schema.items ?? {})}!]`;
  if (type === 'string')
    return (key === 'id' || key.endsWith('_id')) && !TYPES_WITHOUT_ID.includes(key)
      ? 'ID'
      : 'String';
  if (type === 'integer') return schema.maximum === Number.MAX_SAFE_INTEGER ? 'SafeInt' : undefined;
  if (type === 'number') return SCALAR_OF[key];
  if (type === 'boolean') return 'Boolean';
  return type === 'object' ? 'JSON' : undefined;
}

/** The objects of the document that the schema exposes, with their GraphQL types. */
export function objectsOf(
  document: OpenApiDocument,
): { component: string; type: string; keys: string[] }[] {
  return Object.entries(document.components.schemas)
    .filter(([name, { properties }]) => properties && !ENVELOPE.test(name))
    .map(([name, { properties = {} }]) => ({
      component: name,
      type: TYPE_OF[name] ?? name,
      keys: Object.keys(properties),
    }));
}

export function fieldNameOf(type: string, key: string): string {
  return FIELD_OF[`${type}.${key}`] ?? camelCase(key);
}

/** All differences between the upstream contract and the GraphQL schema. */
export function contractViolations(document: OpenApiDocument, schema: GraphQLSchema): string[] {
  return [
    ...missingFields(document, schema),
    ...undocumentedFields(document, schema),
    ...enumViolations(document, schema),
    ...unionViolations(document, schema),
  ];
}

function missingFields(document: OpenApiDocument, schema: GraphQLSchema): string[] {
  return objectsOf(document).flatMap(({ component, type, keys }) => {
    const object = schema.getType(type);
    if (!isObjectType(object)) return [`${component}: there is no type ${type}`];
    return keys.flatMap((key) => {
      const field = object.getFields()[fieldNameOf(type, key)];
      const expected = typeFor(document, component, key);
      if (!field)
        return [`${component}.${key}: there is no field ${type}.${fieldNameOf(type, key)}`];
      if (expected === undefined) return [`${component}.${key}: no rule gives it a type`];
      return String(field.type) === expected
        ? []
        : [`${component}.${key}: ${type}.${field.name} is ${field.type}, not ${expected}`];
    });
  });
}

function undocumentedFields(document: OpenApiDocument, schema: GraphQLSchema): string[] {
  const documented = new Set(
    objectsOf(document).flatMap(({ type, keys }) =>
      keys.map((key) => `${type}.${fieldNameOf(type, key)}`),
    ),
  );
  return boundTypes(schema).flatMap(({ name, getFields }) =>
    Object.keys(getFields())
      .map((field) => `${name}.${field}`)
      .filter((field) => !documented.has(field) && !OWN_TYPES.includes(field))
      .map((field) => `${field}: no key is documented for it`),
  );
}

/** The GraphQL types of upstream objects: all object types but the root and those of pagination. */
export function boundTypes(
  schema: GraphQLSchema,
): { readonly name: string; readonly getFields: GraphQLObjectType['getFields'] }[] {
  return Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .filter(
      ({ name }) =>
        !name.startsWith('__') &&
        !['Query', 'Subscription', 'CallUpdate', 'PageInfo'].includes(name) &&
        !/(Connection|Edge)$/.test(name),
    )
    .map((type) => ({ name: type.name, getFields: () => type.getFields() }));
}

function enumViolations(document: OpenApiDocument, schema: GraphQLSchema): string[] {
  const documented = Object.entries(document.components.schemas).filter(
    ([, component]) => component.enum,
  );
  const undocumented = Object.values(schema.getTypeMap())
    .filter(
      (type) =>
        isEnumType(type) &&
        !/^(__|link__|CallMilestone$)/.test(type.name) &&
        !documented.some(([name]) => name === type.name),
    )
    .map(({ name }) => `${name}: no enum is documented for it`);
  return documented
    .flatMap(([name, { enum: values = [] }]) => {
      const type = schema.getType(name);
      if (!isEnumType(type)) return [`${name}: there is no enum ${name}`];
      const expected = values.map((value) => `${screamingCase(value)} = ${value}`);
      if (!INPUT_ENUMS.includes(name)) expected.push('UNRECOGNIZED = UNRECOGNIZED');
      const actual = type.getValues().map((value) => `${value.name} = ${value.value}`);
      return [
        ...expected
          .filter((value) => !actual.includes(value))
          .map((value) => `${name}: lacks ${value}`),
        ...actual
          .filter((value) => !expected.includes(value))
          .map((value) => `${name}: ${value} is documented nowhere`),
      ];
    })
    .concat(undocumented);
}

function unionViolations(document: OpenApiDocument, schema: GraphQLSchema): string[] {
  return Object.entries(document.components.schemas).flatMap(([name, { oneOf }]) => {
    if (!oneOf) return [];
    const union = schema.getType(name);
    if (!isUnionType(union)) return [`${name}: there is no union ${name}`];
    const expected = [
      ...oneOf.map(({ $ref = '' }) => $ref.replace('#/components/schemas/', '')),
      `Unrecognized${name}`,
    ].sort();
    const actual = union
      .getTypes()
      .map((type) => type.name)
      .sort();
    return String(expected) === String(actual)
      ? []
      : [`${name}: is ${actual.join(' | ')}, not ${expected.join(' | ')}`];
  });
}

/** Types, fields, arguments and enum values without a description. */
export function undescribedParts(schema: GraphQLSchema): string[] {
  return Object.values(schema.getTypeMap())
    .filter((type) => !type.name.startsWith('__') && !isSpecifiedScalarType(type))
    .flatMap((type) => partsOf(type))
    .filter(([, description]) => !description?.trim())
    .map(([name]) => name);
}

function partsOf(type: GraphQLNamedType): [name: string, description: string | null | undefined][] {
  const own: [string, string | null | undefined] = [getNamedType(type).name, type.description];
  if (isEnumType(type))
    return [
      own,
      ...type
        .getValues()
        .map(({ name, description }) => describedPart(`${type.name}.${name}`, description)),
    ];
  if (isInputObjectType(type))
    return [
      own,
      ...Object.values(type.getFields()).map(({ name, description }) =>
        describedPart(`${type.name}.${name}`, description),
      ),
    ];
  if (!isObjectType(type) && !isInterfaceType(type)) return [own];
  return [
    own,
    ...Object.values(type.getFields()).flatMap((field) => [
      describedPart(`${type.name}.${field.name}`, field.description),
      ...field.args.map((argument) =>
        describedPart(`${type.name}.${field.name}(${argument.name}:)`, argument.description),
      ),
    ]),
  ];
}

function describedPart(
  name: string,
  description: string | null | undefined,
): [string, string | null | undefined] {
  return [name, description];
}
