import { type ApolloInlineTracePluginOptions, useApolloInlineTrace } from '@graphql-yoga/plugin-apollo-inline-trace';
import type { Plugin } from 'graphql-yoga';
import type { IsRouter } from './router-secret.ts';

/** Whether a router asks how long each field takes (`extensions.ftv1`), and has the right to know. */
export function asksForTrace(headers: Headers, isRouter: IsRouter): boolean {
  return headers.get('apollo-federation-include-trace') === 'ftv1' && isRouter(headers);
}

/**
 * Apollo's federated tracing: names, times and errors of fields, never a value. It wraps every resolver of the schema it is given, which
 * costs each operation: so it gets a schema of its own, and sees only operations that are traced.
 */
export function useFederatedTracing(): Plugin {
  return useApolloInlineTrace({ rewriteError });
}

/**
 * Leaves out what the plugin cannot place, for it throws then, and the whole answer would be lost: the error of a root field that was not
 * even called, since its arguments do not fit.
 */
const rewriteError: NonNullable<ApolloInlineTracePluginOptions['rewriteError']> = (error) =>
  error.path?.length === 1 && error.extensions.code === 'BAD_USER_INPUT' ? null : error;
