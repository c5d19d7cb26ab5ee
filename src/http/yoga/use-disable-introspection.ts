import { type GraphQLError, NoSchemaIntrospectionCustomRule } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { withoutSuggestion } from '#http/mask-error.ts';

/**
 * Rejects introspection, and removes suggestions of names from validation errors. (`mask-error.ts`
 * removes them from errors of variables, which come later.)
 */
export function useDisableIntrospection(): Plugin {
  return {
    onValidate({ addValidationRule }) {
      addValidationRule(NoSchemaIntrospectionCustomRule);
      return ({ result, setResult }) =>
        setResult((result as readonly GraphQLError[]).map(withoutSuggestion));
    },
  };
}
