import type { HeaderReader } from '#http/message.ts';
import { createSecretCheck } from './secret-check.ts';

/** Whether a request carries a router's secret. */
export type IsRouter = (headers: HeaderReader) => boolean;

/** Compares `Router-Authorization` with the secrets. */
export function createRouterCheck(secrets: readonly string[]): IsRouter {
  const isSecret = createSecretCheck(secrets);
  return (headers) => isSecret(headers.get('router-authorization') ?? '');
}

/** Whether a router requests the timings of fields (`extensions.ftv1`), and carries its secret. */
export function isFederatedTraceRequested(headers: HeaderReader, isRouter: IsRouter): boolean {
  return headers.get('apollo-federation-include-trace') === 'ftv1' && isRouter(headers);
}
