import { createHeaderMemo } from './header-memo.ts';

/** What an answer may be compressed with, the one we would rather send first. */
export const ENCODINGS = ['br', 'gzip'] as const;

export type Encoding = (typeof ENCODINGS)[number];

export interface AcceptedEncodings {
  /** The best of ours that the client takes; undefined: it would rather have the answer as it is. */
  readonly encoding: Encoding | undefined;
  /** Whether it takes an answer as it is. */
  readonly takesPlain: boolean;
}

/**
 * Reads `Accept-Encoding` as RFC 9110 (12.5.3) has it. Of what the client weighs the same the order of `ENCODINGS` decides; an answer as it
 * is comes last, unless the client gives it more weight.
 * @param header null: the client says nothing, and is sent nothing that it may not be able to read
 */
export function readAcceptEncoding(header: string | null): AcceptedEncodings {
  return readOnce(header ?? '');
}

const readOnce = createHeaderMemo(readWeights);

function readWeights(header: string): AcceptedEncodings {
  const weights = new Map(header.split(',').map(toWeight));
  const any = weights.get('*');
  const plain = weights.get('identity') ?? (any === 0 ? 0 : undefined);
  const weightOf = (encoding: Encoding) => weights.get(encoding) ?? any ?? 0;
  const best = ENCODINGS.reduce((one, other) => (weightOf(other) > weightOf(one) ? other : one));
  const isWelcome = weightOf(best) > 0 && weightOf(best) >= (plain ?? 0);
  return { encoding: isWelcome ? best : undefined, takesPlain: plain !== 0 };
}

/** `gzip;q=0.5` → `['gzip', 0.5]`. A weight that is none counts as 0: better a plain answer than one that cannot be read. */
function toWeight(entry: string): [coding: string, weight: number] {
  const [coding = '', ...parameters] = entry.split(';').map((part) => part.trim().toLowerCase());
  const given = parameters.find((parameter) => parameter.startsWith('q='));
  const weight = given === undefined ? 1 : /^q=(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(given) ? Number(given.slice(2)) : 0;
  return [coding === 'x-gzip' ? 'gzip' : coding, weight];
}
