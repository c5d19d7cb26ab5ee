import { memoizeHeader } from './memoize-header.ts';

/** Encodings of a compressed response, the preferred one first. */
export const ENCODINGS = ['br', 'gzip'] as const;

export type Encoding = (typeof ENCODINGS)[number];

export interface AcceptedEncodings {
  /**
   * The best of `ENCODINGS` that the client accepts. Undefined if the client accepts none, or
   * prefers the response uncompressed.
   */
  readonly encoding: Encoding | undefined;
  /** Whether the client accepts an uncompressed response. */
  readonly acceptsIdentity: boolean;
}

/**
 * Parses `Accept-Encoding` as RFC 9110 (12.5.3) defines it. Among equal weights the order of
 * `ENCODINGS` decides. An uncompressed response comes last, unless the client gives it more weight.
 * @param header null: the client does not send it, and may be unable to read a compressed response
 */
export function parseAcceptEncoding(header: string | null): AcceptedEncodings {
  return header === null ? ABSENT : parseMemoized(header);
}

const ABSENT: AcceptedEncodings = { encoding: undefined, acceptsIdentity: true };

const parseMemoized = memoizeHeader(parseWeights);

function parseWeights(header: string): AcceptedEncodings {
  const weights = new Map(header.split(',').map(parseWeight));
  const wildcardWeight = weights.get('*');
  const identityWeight = weights.get('identity') ?? (wildcardWeight === 0 ? 0 : undefined);
  const weightOf = (encoding: Encoding) => weights.get(encoding) ?? wildcardWeight ?? 0;
  const best = ENCODINGS.reduce((one, other) => (weightOf(other) > weightOf(one) ? other : one));
  const isPreferred = weightOf(best) > 0 && weightOf(best) >= (identityWeight ?? 0);
  return { encoding: isPreferred ? best : undefined, acceptsIdentity: identityWeight !== 0 };
}

/**
 * `gzip;q=0.5` → `['gzip', 0.5]`. An invalid weight counts as 0: an uncompressed response is better
 * than an unreadable one.
 */
function parseWeight(entry: string): [coding: string, weight: number] {
  const [coding = '', ...parameters] = entry.split(';').map((part) => part.trim().toLowerCase());
  const weightParameter = parameters.find((parameter) => parameter.startsWith('q='));
  const weight =
    weightParameter === undefined
      ? 1
      : /^q=(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(weightParameter)
        ? Number(weightParameter.slice(2))
        : 0;
  return [coding === 'x-gzip' ? 'gzip' : coding, weight];
}
