import type { ExecutionResult, GraphQLError } from 'graphql';
import { ResponseData } from '#execution/response-data.ts';
import type { MediaType } from '#http/headers/media-type.ts';
import type { PlainResponse } from '#http/message.ts';
import { reportError } from '#http/report-operation.ts';
import { toResponseHeaders } from '#http/response-headers.ts';
import type { RequestObserver } from '#observability/request-observer.ts';

/**
 * Builds the response to a result, identical to Yoga's. Its `data` may be a `ResponseData`, which is
 * JSON text already.
 */
export function toGraphQLResponse(
  result: ExecutionResult<unknown>,
  cacheControl: string,
  mediaType: MediaType,
  observer: RequestObserver,
): PlainResponse & { readonly body: string } {
  reportError(result, observer);
  return {
    status: toHttpStatus(result.errors ?? [], mediaType),
    headers: toResponseHeaders(mediaType, cacheControl),
    body: toJson(result),
  };
}

function toJson(result: ExecutionResult<unknown>): string {
  const { errors, data, extensions = {} } = result;
  const parts: string[] = [];
  if (errors?.length) parts.push(`"errors":${JSON.stringify(errors.map(withoutHttpExtension))}`);
  if ('data' in result)
    parts.push(`"data":${data instanceof ResponseData ? data.toJson() : JSON.stringify(data)}`);
  if (Object.keys(extensions).length > 0) parts.push(`"extensions":${JSON.stringify(extensions)}`);
  return `{${parts.join(',')}}`;
}

/**
 * The highest `http.status` of the errors. A status with `spec` is ignored for `application/json`:
 * its clients treat any status but 200 as a transport failure.
 */
function toHttpStatus(errors: readonly GraphQLError[], mediaType: MediaType): number {
  let status = 0;
  for (const { extensions } of errors) {
    const http = extensions.http as
      | { readonly spec?: boolean; readonly status?: number }
      | undefined;
    if (http?.status && !(http.spec && mediaType === 'application/json'))
      status = Math.max(status, http.status);
  }
  return status || 200;
}

/** The serialized error, without the status that it gives to a response. */
export function withoutHttpExtension(error: GraphQLError) {
  const { extensions, ...serialized } = error.toJSON();
  const { http, ...otherExtensions } = extensions ?? {};
  return Object.keys(otherExtensions).length > 0
    ? { ...serialized, extensions: otherExtensions }
    : serialized;
}
