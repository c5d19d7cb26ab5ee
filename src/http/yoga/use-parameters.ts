import type { Plugin } from 'graphql-yoga';

/** The parameters of GraphQL over HTTP. */
const PARAMETERS = ['query', 'variables', 'operationName', 'extensions'] as const;

/**
 * Drops every other property of a request: GraphQL over HTTP lets clients add properties, and Yoga
 * would reject the request. An empty `operationName` counts as absent, as Yoga reads it in a URL.
 * To be used after the plugins that read document ids.
 */
export function useParameters(): Plugin {
  return {
    onParams({ params, setParams }) {
      const names = PARAMETERS.filter((name) => name !== 'operationName' || params[name] !== '');
      setParams(Object.fromEntries(names.map((name) => [name, params[name]])));
    },
  };
}
