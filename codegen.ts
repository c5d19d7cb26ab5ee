import type { CodegenConfig } from '@graphql-codegen/cli';
import { Kind } from 'graphql';
import { readWireContract, readWireEnums } from './codegen/openapi-document.ts';
import { readPublicSchema } from './codegen/public-schema.ts';
import { toEnumName } from './src/binding/names.ts';

/** GraphQL enum values → REST values: what resolvers are given and give. */
const enumValues = Object.fromEntries(
  Object.entries(readWireEnums()).map(([name, values]) => [
    name,
    Object.fromEntries(values.map((value) => [toEnumName(value), value])),
  ]),
);

const objectTypes = readPublicSchema().flatMap(({ document }) =>
  document.definitions.flatMap((definition) =>
    definition.kind === Kind.OBJECT_TYPE_DEFINITION ? [definition.name.value] : [],
  ),
);

/** Types that the REST API has under the same name: their resolvers get the upstream's objects. */
const wireTypes = Object.keys(readWireContract()).filter((name) => objectTypes.includes(name));
const wire = (name: string) => `./revox-api.ts#${name} as Wire${name}`;

/** Every list is the same connection, of other items. */
const connections = wireTypes
  .filter((name) => objectTypes.includes(`${name}Connection`))
  .flatMap((name) => [
    [`${name}Connection`, `import('../pagination/connection.ts').Connection<Wire${name}>`],
    [`${name}Edge`, `import('../pagination/connection.ts').Edge<Wire${name}>`],
  ]);

/** SDL → resolver types with wire types as parents; OpenAPI → wire types and their version; SDL → text for the running gateway and for others. */
const config: CodegenConfig = {
  schema: 'schema/*.graphql',
  generates: {
    'src/generated/revox-api.ts': { plugins: ['./codegen/wire-types.ts'] },
    'src/generated/wire-shapes.ts': { plugins: ['./codegen/wire-shapes.ts'] },
    'src/generated/contract-version.ts': { plugins: ['./codegen/contract-version.ts'] },
    'src/generated/version.ts': { plugins: ['./codegen/version.ts'] },
    'src/generated/type-definitions.ts': { plugins: ['./codegen/type-definitions.ts'] },
    'sdl/subgraph.graphql': { plugins: ['./codegen/subgraph-sdl.ts'] },
    'docs/reference/configuration.md': { plugins: ['./codegen/configuration-page.ts'] },
    'docs/reference/schema.md': { plugins: ['./codegen/schema-page.ts'] },
    'sdl/client.graphql': { plugins: ['./codegen/client-sdl.ts'] },
    'src/generated/resolvers.ts': {
      plugins: ['typescript', 'typescript-resolvers'],
      config: {
        contextType: '../context/request-context.ts#RequestContext',
        enumsAsTypes: true,
        enumValues,
        immutableTypes: true,
        mappers: Object.fromEntries([
          ...wireTypes.map((name) => [name, wire(name)]),
          ...connections,
          ['CallUpdate', '../live/live-source.ts#LiveEvent'],
        ]),
        scalars: {
          DateTime: 'string',
          JSON: 'unknown',
          SafeInt: 'number',
          _Any: 'unknown',
          federation__FieldSet: 'never',
          link__Import: 'never',
        },
        useTypeImports: true,
        importExtension: '.ts',
        emitLegacyCommonJSImports: false,
      },
    },
  },
};

export default config;
