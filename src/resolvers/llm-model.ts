import type { Resolvers } from '#generated/resolvers.ts';

export const llmModelResolvers: Resolvers = {
  LlmModel: {
    __resolveType(model, { driftLog }, { parentType, fieldName }) {
      // Newer versions of the API have more kinds than documented: `type` may be any value at run
      // time.
      const type: unknown = model.type;
      if (type === 'dedicated-instance') return 'DedicatedInstanceLlmModel';
      if (type === 'openrouter') return 'OpenrouterLlmModel';
      driftLog.report('unrecognized', parentType.name, fieldName);
      return 'UnrecognizedLlmModel';
    },
  },
  UnrecognizedLlmModel: { raw: (model) => model },
};
