import { type GraphQLError, NoSchemaIntrospectionCustomRule } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { withoutSuggestion } from './public-error.ts';

/** Nobody may ask for the schema, nor guess it. (What is wrong with variables comes later: `public-error.ts` has the same word on it.) */
export function useClosedSchema(): Plugin {
  return {
    onValidate({ addValidationRule }) {
      addValidationRule(NoSchemaIntrospectionCustomRule);
      return ({ result, setResult }) => setResult((result as readonly GraphQLError[]).map(withoutSuggestion));
    },
  };
}
