import type { PluginFunction } from '@graphql-codegen/plugin-helpers';
import {
  type DefinitionNode,
  type DocumentNode,
  type FieldDefinitionNode,
  Kind,
  type ObjectTypeDefinitionNode,
  type ObjectTypeExtensionNode,
  print,
  type SchemaDefinitionNode,
  visit,
} from 'graphql';
import { FEDERATION_FILE, readPublicSchema, type SchemaFile } from './public-schema.ts';

/**
 * The schema as other subgraphs see it. `Node`, `node` and `nodes` stay behind: every subgraph has them, each for its own objects only, and
 * a supergraph can have one. The definitions of the federation directives are the composer's own. The `schema` block has no description: composition
 * copies it, and Hive's Rust router cannot parse a supergraph whose `schema` block has one. The schema that the gateway serves keeps it.
 */
export function toSubgraphSdl(files: readonly SchemaFile[]): string {
  const definitions = files.filter(({ name }) => name !== FEDERATION_FILE).flatMap(({ document }) => document.definitions);
  const document: DocumentNode = { kind: Kind.DOCUMENT, definitions: withOneQuery(definitions) };
  const isNode = ({ name }: { readonly name: { readonly value: string } }) => name.value === 'Node';
  return `${print(
    visit(document, {
      SchemaDefinition: ({ description: _, ...schema }): SchemaDefinitionNode => schema,
      InterfaceTypeDefinition: (definition) => (isNode(definition) ? null : undefined),
      ObjectTypeDefinition: (type) => ({ ...type, interfaces: type.interfaces?.filter((implemented) => !isNode(implemented)) }),
    }),
  )}\n`;
}

const RELAY_ONLY = ['node', 'nodes'];

/** Each domain extends `Query`: together they make one, where the first of them stands. */
function withOneQuery(definitions: readonly DefinitionNode[]): DefinitionNode[] {
  const fields = definitions.filter(isQuery).flatMap(({ fields = [] }) => fields as readonly FieldDefinitionNode[]);
  const definition = definitions.find((node) => node.kind === Kind.OBJECT_TYPE_DEFINITION && isQuery(node));
  const query = { ...definition, fields: fields.filter(({ name }) => !RELAY_ONLY.includes(name.value)) } as DefinitionNode;
  const schema = definitions.filter(({ kind }) => kind === Kind.SCHEMA_DEFINITION);
  return [...schema, query, ...definitions.filter((node) => !isQuery(node) && node.kind !== Kind.SCHEMA_DEFINITION)];
}

function isQuery(node: DefinitionNode): node is ObjectTypeDefinitionNode | ObjectTypeExtensionNode {
  return (node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.OBJECT_TYPE_EXTENSION) && node.name.value === 'Query';
}

/** For a registry: `rover subgraph publish`, `wgc subgraph publish`, `hive schema:publish`. */
export const plugin: PluginFunction = () => toSubgraphSdl(readPublicSchema());
