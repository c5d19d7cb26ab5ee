import { type GraphQLError, NoSchemaIntrospectionCustomRule } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { withoutSuggestion } from '#http/mask-error.ts';

/** Nobody may ask for the schema, nor guess it. (What is wrong with variables comes later: `mask-error.ts` has the same word on it.) */
export function useDisableIntrospection(): Plugin {
  return {
    onValidate({ addValidationRule }) {
      addValidationRule(NoSchemaIntrospectionCustomRule);
      return ({ result, setResult }) => setResult((result as readonly GraphQLError[]).map(withoutSuggestion));
    },
  };
}
