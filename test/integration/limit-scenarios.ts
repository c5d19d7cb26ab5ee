import { expect } from 'vitest';
import type { TestGateway } from '../support/test-gateway.ts';

export const JSON_TYPE = 'application/json; charset=utf-8';
export const RESPONSE_TYPE = 'application/graphql-response+json; charset=utf-8';

export interface Operation {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
}

export interface LimitExcess {
  readonly limit: number;
  readonly measured: number;
  readonly message: string;
}

export const repeat = (count: number, toText: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => toText(n)).join(' ');

/** A chain of fragments, each of which spreads the next one twice. The last one contains `last`. */
export function doubling(levels: number, type: string, last: string): string {
  const spread = repeat(levels, (n) => `fragment F${n} on ${type} { ...F${n + 1} ...F${n + 1} }`);
  return `${spread} fragment F${levels} on ${type} { ${last} }`;
}

export function post(
  gateway: TestGateway,
  body: BodyInit,
  headers: Record<string, string> = {},
): Promise<Response> {
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
    duplex: 'half',
  };
  return gateway.fetch('/graphql', init);
}

/** Expects the operation to be rejected for both response types, without an upstream request. */
export async function expectLimitError(
  gateway: TestGateway,
  operation: Operation,
  { message, limit, measured }: LimitExcess,
): Promise<void> {
  for (const [type, status] of [
    [JSON_TYPE, 200],
    [RESPONSE_TYPE, 400],
  ] as const) {
    const response = await post(gateway, JSON.stringify(operation), { accept: type });
    expect([response.status, response.headers.get('content-type')]).toEqual([status, type]);
    expect(await response.json()).toEqual({
      errors: [{ message, extensions: { code: 'OPERATION_TOO_COMPLEX', limit, measured } }],
    });
  }
  expect(gateway.traffic()).toEqual([]);
  expect(gateway.unexpectedErrors).toEqual([]);
}

/** The first `size` rows of a campaign, with the campaign of the call of each row. */
export const rows = (size: string, inner: string) =>
  `rows(first: ${size}) { nodes { call { id campaign { ${inner} } } } }`;
/** Costs 5,050,200. */
export const ROWS_OF_ROWS = `campaigns(first: 100) { nodes { ${rows('100', rows('100', 'id'))} } }`;
