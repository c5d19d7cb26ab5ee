import { isJsonContentType } from '#http/headers/content-type.ts';
import { isWhole, negotiateMediaType } from '#http/headers/media-type.ts';
import type { RequestHead } from '#http/message.ts';

/** Requests with one of these headers go to Yoga. */
const UNSUPPORTED_HEADERS = ['apollo-federation-include-trace', 'content-encoding'];

/**
 * Whether a request may be a warm operation, as far as its head shows: a JSON POST within the body
 * limit. The negotiated media type must be one of the two of GraphQL over HTTP.
 */
export function isEligible({ method, headers }: RequestHead, maxBodyBytes: number): boolean {
  return (
    method === 'POST' &&
    isJsonContentType(headers.get('content-type')) &&
    !(Number(headers.get('content-length') ?? 0) > maxBodyBytes) &&
    !UNSUPPORTED_HEADERS.some((name) => headers.has(name)) &&
    isWhole(negotiateMediaType(headers.get('accept')))
  );
}
