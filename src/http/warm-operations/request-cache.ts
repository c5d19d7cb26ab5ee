import { hash } from 'node:crypto';
import type { OperationDefinitionNode } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { MediaType } from '#http/headers/media-type.ts';
import { findTooDeepParameter } from '#http/limits/nesting.ts';
import { toVariablesKey } from './variables-key.ts';

/**
 * The parameters of a GraphQL request, as they are in its body: those of GraphQL over HTTP, and any
 * other properties. These may name the document; otherwise the gateway ignores them.
 */
export interface RequestParams {
  readonly query?: string | null;
  readonly variables?: { readonly [name: string]: unknown } | null;
  readonly operationName?: string | null;
  readonly extensions?: object | null;
  readonly [name: string]: unknown;
}

/** A parsed request body. */
export interface ParsedRequest {
  /**
   * Undefined for a body that only Yoga handles: malformed, nested too deep, or with a parameter of
   * a wrong type.
   */
  readonly params: RequestParams | undefined;
  /**
   * The keys of its cached responses. They contain the number of the parsed document. If the parser
   * cache evicts the document, the same text is parsed again and gets another number:
   * `toResponseKeys` then computes the keys again.
   */
  responseKeys?: { readonly documentNumber: number; readonly keys: ResponseKeys };
}

/**
 * A key for each media type. The key contains each part of a request that can change the response
 * for one credential, and no other part.
 */
export type ResponseKeys = { readonly [type in MediaType]?: string };

/** An operation and the number of its document. */
export interface NumberedOperation {
  readonly documentNumber: number;
  readonly operation: OperationDefinitionNode;
  readonly variables: { readonly [name: string]: unknown } | undefined;
}

/** Parses request bodies. A cached result depends only on the body, so all callers share it. */
export interface RequestCache {
  parse(text: string): ParsedRequest;
  /** Computes the keys of a request's cached responses, once for each request. */
  toResponseKeys(operation: NumberedOperation, request: ParsedRequest): ResponseKeys;
}

const MAX_BYTES = 4 * 2 ** 20;
/**
 * Measured: fixed bytes of an entry, and bytes for each character of the body, including the parsed
 * values.
 */
const ENTRY_BYTES = 600;
const BYTES_PER_CHARACTER = 8;

/**
 * A longer key is replaced by its digest: a key with a hundred ids in it would be copied and hashed
 * at each lookup.
 */
const MAX_KEY_LENGTH = 128;

/**
 * Caches parsed request bodies: parsing a body takes as long as finding its cached response, and
 * clients repeat requests.
 */
export function createRequestCache(): RequestCache {
  const requests = new LRUCache<string, ParsedRequest>({
    maxSize: MAX_BYTES,
    sizeCalculation: (_, text) => ENTRY_BYTES + BYTES_PER_CHARACTER * text.length,
  });

  return {
    parse(text) {
      const cached = requests.get(text);
      if (cached) return cached;
      const request: ParsedRequest = { params: parseParams(text) };
      if (request.params) requests.set(text, request);
      return request;
    },
    toResponseKeys(operation, request) {
      if (request.responseKeys?.documentNumber !== operation.documentNumber) {
        request.responseKeys = {
          documentNumber: operation.documentNumber,
          keys: toKeys(operation),
        };
      }
      return request.responseKeys.keys;
    },
  };
}

/**
 * Neither the whitespace of the JSON nor the order of the variables changes the keys. The text of
 * the document does.
 */
function toKeys({ documentNumber, operation, variables }: NumberedOperation): ResponseKeys {
  const variablesKey = toVariablesKey(operation.variableDefinitions, variables);
  if (variablesKey === undefined) return {};
  const content = `${documentNumber} ${operation.name?.value ?? ''} ${variablesKey}`;
  const key = content.length > MAX_KEY_LENGTH ? hash('sha256', content, 'base64') : content;
  return {
    'application/json': `json ${key}`,
    'application/graphql-response+json': `graphql-response+json ${key}`,
  };
}

const isString = (value: unknown) => typeof value === 'string';
const isObject = (value: unknown) => typeof value === 'object' && !Array.isArray(value);
const PARAMETER_GUARDS: readonly [name: string, isValid: (value: unknown) => boolean][] = [
  ['query', isString],
  ['variables', isObject],
  ['operationName', isString],
  ['extensions', isObject],
];

/**
 * Parses a request body. Undefined for a body that only Yoga handles: malformed, nested too deep, or
 * with a parameter of a wrong type.
 */
export function parseParams(text: string): RequestParams | undefined {
  let params: RequestParams | null;
  try {
    params = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof params !== 'object' || params === null || Array.isArray(params)) return undefined;
  for (const [name, isValid] of PARAMETER_GUARDS) {
    const value = params[name];
    if (value !== undefined && value !== null && !isValid(value)) return undefined;
  }
  return findTooDeepParameter(params) === undefined ? params : undefined;
}
