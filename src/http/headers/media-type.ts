import { memoizeHeader } from './memoize-header.ts';

/** What an answer that comes whole may be. */
export type MediaType = 'application/graphql-response+json' | 'application/json';

/** The last one that is taken is sent. */
const MEDIA_TYPES: readonly MediaType[] = ['application/graphql-response+json', 'application/json'];

/**
 * What a client that sends this `Accept` is answered in, as Yoga reads it: whatever matches first in the header, weights left out. Undefined for
 * one that takes neither, or nothing whole.
 */
export function negotiateMediaType(accept: string | null): MediaType | undefined {
  const header = accept || '*/*';
  return header.length > MAX_HEADER_LENGTH ? undefined : negotiateMemoized(header);
}

/** Nobody needs one that is longer: it is left to Yoga. */
const MAX_HEADER_LENGTH = 200;

const negotiateMemoized = memoizeHeader(findFirstMatch);

function findFirstMatch(header: string): MediaType | undefined {
  const ranges = header.replace(/\s/g, '').toLowerCase().split(',').filter(allowsUtf8);
  return ranges.flatMap((range) => MEDIA_TYPES.filter((type) => matchesRange(range.split(';')[0] ?? '', type)).reverse())[0];
}

function allowsUtf8(range: string): boolean {
  const charset = range.split(';').find((parameter, index) => index > 0 && parameter.includes('charset='));
  return charset === undefined || charset === 'charset=utf-8';
}

function matchesRange(range: string, type: string): boolean {
  const [group, name] = range.split('/');
  const [ofType, nameOfType] = type.split('/');
  return (group === '*' || group === ofType) && (name === '*' || name === nameOfType);
}
