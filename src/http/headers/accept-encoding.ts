import { memoizeHeader } from './memoize-header.ts';

/** What an answer may be compressed with, the one we would rather send first. */
export const ENCODINGS = ['br', 'gzip'] as const;

export type Encoding = (typeof ENCODINGS)[number];

export interface AcceptedEncodings {
  /** The best of ours that the client takes; undefined: it would rather have the answer as it is. */
  readonly encoding: Encoding | undefined;
  /** Whether it takes an answer as it is. */
  readonly acceptsIdentity: boolean;
}

/**
 * Reads `Accept-Encoding` as RFC 9110 (12.5.3) has it. Of what the client weighs the same the order of `ENCODINGS` decides; an answer as it
 * is comes last, unless the client gives it more weight.
 * @param header null: the client says nothing, and is sent nothing that it may not be able to read
 */
export function parseAcceptEncoding(header: string | null): AcceptedEncodings {
  return parseMemoized(header ?? '');
}

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

/** `gzip;q=0.5` → `['gzip', 0.5]`. A weight that is none counts as 0: better a plain answer than one that cannot be read. */
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
