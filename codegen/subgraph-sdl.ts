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
 * The schema for composition with other subgraphs. It omits `Node`, `node` and `nodes`: every
 * subgraph may define them for its own objects, and a supergraph can have only one definition. The
 * composer defines the federation directives.
 */
export function toSubgraphSdl(files: readonly SchemaFile[]): string {
  const definitions = files
    .filter(({ name }) => name !== FEDERATION_FILE)
    .flatMap(({ document }) => document.definitions);
  const document: DocumentNode = { kind: Kind.DOCUMENT, definitions: withOneQuery(definitions) };
  const isNode = ({ name }: { readonly name: { readonly value: string } }) => name.value === 'Node';
  return `${print(
    visit(document, {
      SchemaDefinition: ({ description: _, ...schema }): SchemaDefinitionNode => schema,
      InterfaceTypeDefinition: (definition) => (isNode(definition) ? null : undefined),
      ObjectTypeDefinition: (type) => ({
        ...type,
        interfaces: type.interfaces?.filter((implemented) => !isNode(implemented)),
      }),
    }),
  )}\n`;
}

const RELAY_ONLY = ['node', 'nodes'];

/**
 * Each domain extends `Query`: merges the extensions into one type, at the position of the
 * definition.
 */
function withOneQuery(definitions: readonly DefinitionNode[]): DefinitionNode[] {
  const fields = definitions
    .filter(isQuery)
    .flatMap(({ fields = [] }) => fields as readonly FieldDefinitionNode[]);
  const definition = definitions.find(
    (node) => node.kind === Kind.OBJECT_TYPE_DEFINITION && isQuery(node),
  );
  const query = {
    ...definition,
    fields: fields.filter(({ name }) => !RELAY_ONLY.includes(name.value)),
  } as DefinitionNode;
  const schema = definitions.filter(({ kind }) => kind === Kind.SCHEMA_DEFINITION);
  return [
    ...schema,
    query,
    ...definitions.filter((node) => !isQuery(node) && node.kind !== Kind.SCHEMA_DEFINITION),
  ];
}

function isQuery(node: DefinitionNode): node is ObjectTypeDefinitionNode | ObjectTypeExtensionNode {
  return (
    (node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.OBJECT_TYPE_EXTENSION) &&
    node.name.value === 'Query'
  );
}

/**
 * The SDL for a schema registry: `rover subgraph publish`, `wgc subgraph publish`, `hive
 * schema:publish`.
 */
export const plugin: PluginFunction = () => toSubgraphSdl(readPublicSchema());
