import { VARY } from '#http/headers/cache-control.ts';
import type { MediaType } from '#http/headers/media-type.ts';
import { PlainHeaders } from './message.ts';

/** The headers of a response that the plain pipeline sends without Yoga. */
export function toResponseHeaders(mediaType: MediaType, cacheControl: string): PlainHeaders {
  return new PlainHeaders({
    'content-type': `${mediaType}; charset=utf-8`,
    'cache-control': cacheControl,
    vary: VARY,
  });
}
