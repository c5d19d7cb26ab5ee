import type { HeaderReader } from './exchange.ts';
import type { IsRouter } from './router-secret.ts';

/** Whether a router asks how long each field takes (`extensions.ftv1`), and has the right to know. */
export function asksForTrace(headers: HeaderReader, isRouter: IsRouter): boolean {
  return headers.get('apollo-federation-include-trace') === 'ftv1' && isRouter(headers);
}
