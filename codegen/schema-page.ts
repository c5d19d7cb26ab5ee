import type { PluginFunction } from '@graphql-codegen/plugin-helpers';
import {
  type GraphQLArgument,
  type GraphQLEnumType,
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLScalarType,
  type GraphQLUnionType,
  getNamedType,
  isEnumType,
  isInterfaceType,
  isObjectType,
  isScalarType,
  isSpecifiedScalarType,
  isUnionType,
} from 'graphql';
import { readClientSchema } from './client-sdl.ts';

const INTRODUCTION = `# Schema reference

Every field that a client can select, with the requests that it costs the upstream. [Schema
rules](schema-rules.md) says how names and values follow from the REST API, and what may change.
[\`sdl/client.graphql\`](../../sdl/client.graphql) is the same schema for tools.

**Upstream requests** are those of a field when nothing is cached. A response in the cache costs no
request. Fields that load the same object share one request. \`–\` means that the value is part of the
object, and costs no request. [\`extensions.upstream\`](extensions.md) has the requests that an
operation did cost.

\`npm run codegen\` writes this page from \`schema/\`.
`;

const NO_COST = '–';

/** The reference page of the schema: each type, field and argument with its upstream cost. */
export const plugin: PluginFunction = () => {
  const schema = readClientSchema();
  const roots = [schema.getQueryType(), schema.getSubscriptionType()].filter((type) => !!type);
  const others = Object.values(schema.getTypeMap())
    .filter((type) => !type.name.startsWith('__') && !isSpecifiedScalarType(type))
    .filter((type) => !roots.some((root) => root === type))
    .sort((a, b) => a.name.localeCompare(b.name, 'en'));
  const sections: readonly (readonly [title: string, types: readonly string[]])[] = [
    ['Objects', others.filter(isObjectType).map(toFieldsSection)],
    ['Interfaces', others.filter(isInterfaceType).map(toFieldsSection)],
    ['Unions', others.filter(isUnionType).map(toUnionSection)],
    ['Enums', others.filter(isEnumType).map(toEnumSection)],
    ['Scalars', others.filter(isScalarType).map(toScalarSection)],
  ];
  return [
    INTRODUCTION,
    ...roots.map(toRootSection),
    ...sections.map(([title, types]) => [`## ${title}\n`, ...types].join('\n')),
  ].join('\n');
};

/** A root field has a section of its own: most have arguments, and a cost of several sentences. */
function toRootSection(type: GraphQLObjectType): string {
  return [
    `## ${type.name}\n`,
    toParagraphs(type),
    ...fieldsOf(type).map((field) => toRootField(type, field)),
  ].join('\n');
}

function toRootField({ name }: GraphQLObjectType, field: GraphQLField<unknown, unknown>): string {
  return [
    `### ${name}.${field.name}\n`,
    `Type: ${toTypeLink(field.type)}\n`,
    toParagraphs(field),
    ...toArgumentsTable(field),
  ].join('\n');
}

function toFieldsSection(type: GraphQLObjectType | GraphQLInterfaceType): string {
  const interfaces = type.getInterfaces().map(({ name }) => toLink(name));
  return [
    `### ${type.name}\n`,
    ...(interfaces.length > 0 ? [`Implements ${interfaces.join(', ')}.\n`] : []),
    toParagraphs(type),
    '| field | type | meaning | upstream requests |',
    '| --- | --- | --- | --- |',
    ...fieldsOf(type).map(toFieldRow),
    '',
    ...fieldsOf(type).flatMap((field) =>
      field.args.length > 0
        ? [`Arguments of \`${field.name}\`:\n`, ...toArgumentsTable(field)]
        : [],
    ),
  ].join('\n');
}

function toFieldRow(field: GraphQLField<unknown, unknown>): string {
  const { meaning, cost } = describe(field);
  const deprecation = field.deprecationReason && `**Deprecated:** ${field.deprecationReason}`;
  return toRow([
    `\`${field.name}\``,
    toTypeLink(field.type),
    [meaning, deprecation].filter(Boolean).join('\n\n'),
    cost ?? NO_COST,
  ]);
}

function toArgumentsTable({ args }: GraphQLField<unknown, unknown>): string[] {
  if (args.length === 0) return [];
  return [
    '| argument | type | default | meaning |',
    '| --- | --- | --- | --- |',
    ...args.map((argument) =>
      toRow([
        `\`${argument.name}\``,
        toTypeLink(argument.type),
        toDefault(argument),
        describe(argument).meaning,
      ]),
    ),
    '',
  ];
}

function toDefault({ defaultValue }: GraphQLArgument): string {
  return defaultValue === undefined ? '' : `\`${String(defaultValue)}\``;
}

function toUnionSection(type: GraphQLUnionType): string {
  const members = type.getTypes().map(({ name }) => toLink(name));
  return [`### ${type.name}\n`, toParagraphs(type), `One of ${members.join(', ')}.\n`].join('\n');
}

function toEnumSection(type: GraphQLEnumType): string {
  return [
    `### ${type.name}\n`,
    toParagraphs(type),
    '| value | meaning |',
    '| --- | --- |',
    ...type.getValues().map((value) => toRow([`\`${value.name}\``, describe(value).meaning])),
    '',
  ].join('\n');
}

function toScalarSection(type: GraphQLScalarType): string {
  const { specifiedByURL } = type;
  return [
    `### ${type.name}\n`,
    toParagraphs(type),
    ...(specifiedByURL ? [`Specification: <${specifiedByURL}>\n`] : []),
  ].join('\n');
}

interface Described {
  readonly description?: string | null | undefined;
}

/** A description, and the paragraph in it that begins with "Upstream:" and states the cost. */
function describe({ description }: Described): { meaning: string; cost: string | undefined } {
  const paragraphs = (description ?? '').split(/\n\s*\n/);
  const cost = paragraphs.find((paragraph) => paragraph.startsWith('Upstream: '));
  return {
    meaning: paragraphs.filter((paragraph) => paragraph !== cost).join('\n\n'),
    cost: cost?.replace(/^Upstream: (.)/, (_, first: string) => first.toUpperCase()),
  };
}

function toParagraphs(described: Described): string {
  const { meaning, cost } = describe(described);
  return [meaning, cost && `**Upstream requests:** ${cost}`]
    .filter(Boolean)
    .map((paragraph) => `${paragraph}\n`)
    .join('\n');
}

/** A row of a table, whose cells must not have line breaks. */
function toRow(cells: readonly string[]): string {
  const toCell = (text: string) =>
    text
      .replaceAll('|', '\\|')
      .replaceAll(/\n\s*\n/g, '<br>')
      .replaceAll('\n', ' ');
  return `| ${cells.map(toCell).join(' | ')} |`;
}

function toTypeLink(type: { toString(): string } & Parameters<typeof getNamedType>[0]): string {
  const named = getNamedType(type) as GraphQLNamedType;
  const text = `\`${type.toString()}\``;
  return isSpecifiedScalarType(named) ? text : `[${text}](#${named.name.toLowerCase()})`;
}

function toLink(name: string): string {
  return `[\`${name}\`](#${name.toLowerCase()})`;
}

function fieldsOf(type: GraphQLObjectType | GraphQLInterfaceType) {
  return Object.values(type.getFields());
}
