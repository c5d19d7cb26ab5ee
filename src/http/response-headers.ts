import { VARY } from '#http/headers/cache-control.ts';
import type { MediaType } from '#http/headers/media-type.ts';
import { SECURITY_HEADERS } from '#http/headers/security-headers.ts';
import { PlainHeaders } from './message.ts';

/** Constant strings: a template would be joined again for each response. */
const CONTENT_TYPES: { readonly [type in MediaType]: string } = {
  'application/json': 'application/json; charset=utf-8',
  'application/graphql-response+json': 'application/graphql-response+json; charset=utf-8',
};

/** The headers of a response that the plain pipeline sends without Yoga. */
export function toResponseHeaders(mediaType: MediaType, cacheControl: string): PlainHeaders {
  return new PlainHeaders({
    ...SECURITY_HEADERS,
    'content-type': CONTENT_TYPES[mediaType],
    'cache-control': cacheControl,
    vary: VARY,
  });
}
