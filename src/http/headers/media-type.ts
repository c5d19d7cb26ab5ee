import { memoizeHeader } from './memoize-header.ts';

/** Media types of a response that is one JSON text. */
export type MediaType = 'application/graphql-response+json' | 'application/json';

/**
 * Media types of a response in parts. `Accept` selects an event stream by its weight, and multipart
 * only if no range matches JSON.
 */
export type StreamMediaType = 'text/event-stream' | 'multipart/mixed';

type AnyMediaType = MediaType | StreamMediaType;

/** One element of an `Accept` header. */
interface MediaRange {
  readonly group: string;
  readonly name: string;
  /** As in `subscriptionspec=1.0`, in lower case and without quotation marks. */
  readonly parameters: readonly string[];
  /** From 0 to 1. */
  readonly weight: number;
}

/** How the response to a subscription is sent. */
export type StreamTransport = 'sse' | 'multipart';

/** The types that are negotiated by weight. */
const NEGOTIATED_TYPES: readonly AnyMediaType[] = [
  'application/json',
  'application/graphql-response+json',
  'text/event-stream',
];

/** The types that a client can accept, for a message. */
export const ACCEPTABLE_TYPES =
  'application/graphql-response+json, application/json, text/event-stream or multipart/mixed';

/**
 * Negotiates the media type of a response to an operation (RFC 9110, 12.5.1): the type to which the
 * `Accept` header gives the highest weight. Among equal weights the gateway prefers
 * `application/graphql-response+json` if the header names it, and otherwise `application/json`: an
 * old client may not know the other type. Undefined if the client accepts no type.
 */
export function negotiateMediaType(accept: string | null): AnyMediaType | undefined {
  return negotiateMemoized(accept?.trim() || '*/*');
}

/** Whether a negotiated type is one JSON text. */
export function isWhole(type: AnyMediaType | undefined): type is MediaType {
  return type === 'application/json' || type === 'application/graphql-response+json';
}

/**
 * Whether the client accepts HTML, and `Accept` gives no type of `NEGOTIATED_TYPES` a higher
 * weight.
 */
export function prefersHtml(accept: string | null): boolean {
  return accept?.includes('text/html') === true && prefersHtmlMemoized(accept);
}

/**
 * The transport of the response to a subscription: the first one that `Accept` names, with whatever
 * weight, because some routers put it behind types that they cannot get. A header that names none
 * selects an event stream if one of its wildcards does. Undefined if the client accepts no stream.
 */
export function toStreamTransport(accept: string | null): StreamTransport | undefined {
  const ranges = parseAccept(accept?.trim() || '*/*');
  const named = ranges.map(toNamedTransport).find((transport) => transport !== undefined);
  return named ?? (matchRange('text/event-stream', ranges).weight > 0 ? 'sse' : undefined);
}

/**
 * Whether the client takes the events of a subscription at a URL of its own, in Apollo's HTTP
 * callback protocol. The request must name that URL, too.
 */
export function acceptsCallback(accept: string | null): boolean {
  if (!accept?.toLowerCase().includes('callbackspec')) return false;
  return parseAccept(accept).some(
    ({ group, name, parameters, weight }) =>
      `${group}/${name}` === 'application/json' &&
      parameters.includes('callbackspec=1.0') &&
      weight > 0,
  );
}

function toNamedTransport({
  group,
  name,
  parameters,
  weight,
}: MediaRange): StreamTransport | undefined {
  if (weight === 0) return undefined;
  const type = `${group}/${name}`;
  if (type === 'text/event-stream') return 'sse';
  const isMultipart = type === 'multipart/mixed' && parameters.includes('subscriptionspec=1.0');
  return isMultipart ? 'multipart' : undefined;
}

const negotiateMemoized = memoizeHeader((accept) => {
  const ranges = parseAccept(accept);
  const [best] = NEGOTIATED_TYPES.map((type) => ({ type, ...matchRange(type, ranges) }))
    .filter(({ weight }) => weight > 0)
    .sort((one, other) => other.weight - one.weight || rankOf(one) - rankOf(other));
  return best?.type ?? (acceptsOnlyParts(ranges) ? 'multipart/mixed' : undefined);
});

const prefersHtmlMemoized = memoizeHeader((accept) => {
  const ranges = parseAccept(accept);
  const { weight } = matchRange('text/html', ranges);
  return weight > 0 && NEGOTIATED_TYPES.every((type) => matchRange(type, ranges).weight <= weight);
});

function parseAccept(header: string): MediaRange[] {
  return header.replace(/[\s"]/g, '').toLowerCase().split(',').filter(allowsUtf8).map(parseRange);
}

function allowsUtf8(range: string): boolean {
  const charset = /;charset="?([^;"]*)/.exec(range)?.[1];
  return charset === undefined || charset === 'utf-8' || charset === 'utf8';
}

function parseRange(range: string): MediaRange {
  const [type = '', ...parameters] = range.split(';');
  const [group = '', name = ''] = type.split('/');
  const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  return { group, name, parameters, weight: weight === undefined ? 1 : toWeight(weight) };
}

/** An invalid weight is ignored, so that a client with a typing error still gets a response. */
function toWeight(text: string): number {
  return /^\d*\.?\d+$/.test(text) ? Math.min(Number(text), 1) : 1;
}

/** The weight of a type, and how specific the range is that gives it. */
function matchRange(
  type: AnyMediaType | 'text/html',
  ranges: readonly MediaRange[],
): { readonly weight: number; readonly specificity: number } {
  let weight = 0;
  let specificity = -1;
  for (const range of ranges) {
    const rangeSpecificity = specificityOf(range, type);
    if (rangeSpecificity < 0 || rangeSpecificity < specificity) continue;
    weight = rangeSpecificity === specificity ? Math.max(weight, range.weight) : range.weight;
    specificity = rangeSpecificity;
  }
  return { weight, specificity };
}

const NAMED = 2;

/** -1: the range does not match the type. */
function specificityOf({ group, name }: MediaRange, type: string): number {
  const [typeGroup, typeName] = type.split('/');
  if (group === '*') return name === '*' ? 0 : -1;
  if (group !== typeGroup) return -1;
  if (name === '*') return 1;
  return name === typeName ? NAMED : -1;
}

/** The position in the gateway's order of preference. */
function rankOf({ type, specificity }: { type: AnyMediaType; specificity: number }): number {
  const isNamedResponse = type === 'application/graphql-response+json' && specificity === NAMED;
  return isNamedResponse ? -1 : NEGOTIATED_TYPES.indexOf(type);
}

/** Yoga writes parts only for a client whose header has no range that matches JSON. */
function acceptsOnlyParts(ranges: readonly MediaRange[]): boolean {
  return (
    matchRange('multipart/mixed', ranges).weight > 0 &&
    matchRange('application/json', ranges).specificity < 0 &&
    matchRange('application/graphql-response+json', ranges).specificity < 0
  );
}
