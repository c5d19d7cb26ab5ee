import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  // A project of its own uses the URL of the gateway, or a copy of sdl/client.graphql.
  schema: '../../sdl/client.graphql',
  documents: 'src/**/*.{ts,tsx}',
  generates: {
    'src/__generated__/': {
      preset: 'client',
      config: {
        scalars: { DateTime: 'string', SafeInt: 'number', JSON: 'unknown' },
        enumType: 'const',
        useTypeImports: true,
      },
      presetConfig: { fragmentMasking: { unmaskFunctionName: 'getFragmentData' } },
    },
  },
};

export default config;
