import type { CodegenConfig } from '@graphql-codegen/cli';
import { addTypenameSelectionDocumentTransform } from '@graphql-codegen/client-preset';

const config: CodegenConfig = {
  schema: '../../../sdl/client.graphql',
  documents: 'pages/*.ts',
  generates: {
    '__generated__/documents/': {
      preset: 'client',
      // Apollo Client needs `__typename`, and cannot add it to a document that it sends by its id.
      documentTransforms: [addTypenameSelectionDocumentTransform],
      config: {
        scalars: { DateTime: 'string', SafeInt: 'number', JSON: 'unknown' },
        enumType: 'const',
        useTypeImports: true,
      },
      presetConfig: { persistedDocuments: process.env.NODE_ENV === 'production' },
    },
  },
};

export default config;
