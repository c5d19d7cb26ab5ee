import { memoizeHeader } from './memoize-header.ts';

/** Media types of a response that is sent whole. */
export type MediaType = 'application/graphql-response+json' | 'application/json';

/** In ascending order of preference. */
const MEDIA_TYPES: readonly MediaType[] = ['application/graphql-response+json', 'application/json'];

/**
 * Negotiates the media type of a response as Yoga does: the first match in the `Accept` header
 * wins, and weights are ignored. Undefined if the client accepts neither type.
 */
export function negotiateMediaType(accept: string | null): MediaType | undefined {
  const header = accept || '*/*';
  return header.length > MAX_HEADER_LENGTH ? undefined : negotiateMemoized(header);
}

/** No client needs a longer header. Yoga handles such a request. */
const MAX_HEADER_LENGTH = 200;

const negotiateMemoized = memoizeHeader(findFirstMatch);

function findFirstMatch(header: string): MediaType | undefined {
  const ranges = header.replace(/\s/g, '').toLowerCase().split(',').filter(allowsUtf8);
  return ranges.flatMap((range) =>
    MEDIA_TYPES.filter((type) => matchesRange(range.split(';')[0] ?? '', type)).reverse(),
  )[0];
}

function allowsUtf8(range: string): boolean {
  const charset = range
    .split(';')
    .find((parameter, index) => index > 0 && parameter.includes('charset='));
  return charset === undefined || charset === 'charset=utf-8';
}

function matchesRange(range: string, type: string): boolean {
  const [group, name] = range.split('/');
  const [ofType, nameOfType] = type.split('/');
  return (group === '*' || group === ofType) && (name === '*' || name === nameOfType);
}
