import type { Endpoint } from '#rest/question.ts';
import type { CacheEvents } from './cache-events.ts';
import type { Entry, Mark, Memory } from './memory.ts';
import type { ServingRules } from './serving-rules.ts';

/** One answer of the upstream that an operation's answer is made of, as it was kept then. */
export interface Ingredient {
  readonly endpoint: Endpoint;
  /** Path and query. */
  readonly key: string;
  /** Undefined: it was not kept. */
  readonly serial: number | undefined;
}

/** What an operation was answered. */
export interface WholeAnswer {
  /** What it takes besides its key, bytes. */
  readonly bytes: number;
  /** The end of its freshness, by our clock, ms: no later than that of the least fresh ingredient. */
  readonly freshUntil: number;
  readonly madeOf: readonly Ingredient[];
}

/**
 * Keeps whole answers to operations in the same memory as what they are made of: with the same bound, for the same credential, and forgotten
 * with it.
 */
export interface Answers<Answer extends WholeAnswer> {
  /**
   * An answer, if an operation that is executed now would be given the same from memory: all that it is made of is still kept as it was, and
   * fresh, and the upstream has taken the credential lately.
   */
  find(fingerprint: string, key: string): Answer | undefined;
  /** To be taken before an operation is executed, and given when its answer is kept. */
  mark(): Mark;
  keep(fingerprint: string, key: string, answer: Answer, mark: Mark): void;
}

interface Kept<Answer> {
  readonly answer: Answer;
  /** Of what it is made of. */
  readonly serials: readonly number[];
  /** When it was last noted that its ingredients are in use, by our clock, ms. */
  readonly use: { at: number };
}

/** What an answer is made of is in use with it, and is not to be let go before what nobody asks for; to note it each time takes as long as all else. */
const NOTED_EVERY_MS = 100;

/** An operation that is made of more is looked up again as quickly as its ingredients. */
const MOST_INGREDIENTS = 200;

/** Apart from questions, whose keys are paths. */
const PREFIX = 'answer ';

/** What an ingredient takes besides its key. */
const INGREDIENT_BYTES = 160;

/** Made anew after that: of nothing of the upstream's, an answer would be fresh for ever. */
const LONGEST_MS = 600_000;

export interface AnswersOptions {
  readonly memory: Memory;
  readonly rules: Pick<ServingRules, 'isTrusted' | 'isWithin'>;
  readonly events: CacheEvents;
  readonly now: () => number;
}

export function createAnswers<Answer extends WholeAnswer>({ memory, rules, events, now }: AnswersOptions): Answers<Answer> {
  return {
    find(fingerprint, key) {
      const place = PREFIX + key;
      const kept = memory.find(fingerprint, place);
      if (!kept) return undefined;
      if (!rules.isWithin(kept.askedAt, kept.freshUntil - kept.askedAt)) {
        memory.drop(fingerprint, place);
        return undefined;
      }
      // The credential may be taken again before the answer is too old.
      if (!rules.isTrusted(fingerprint)) return undefined;
      const { answer, serials, use } = kept.value as Kept<Answer>;
      if (!memory.areKept(fingerprint, serials)) {
        memory.drop(fingerprint, place);
        return undefined;
      }
      if (now() - use.at >= NOTED_EVERY_MS) {
        use.at = now();
        for (const { key: question } of answer.madeOf) memory.find(fingerprint, question);
      }
      for (const { endpoint } of answer.madeOf) events.onAnswered(endpoint, 'memory');
      return answer;
    },
    mark: memory.mark,
    keep(fingerprint, key, answer, mark) {
      const { madeOf, freshUntil, bytes } = answer;
      const serials = madeOf.flatMap(({ serial }) => serial ?? []);
      const isKept = madeOf.length <= MOST_INGREDIENTS && serials.length === madeOf.length;
      if (!isKept || freshUntil <= now()) return;
      const entry: Entry = {
        value: { answer, serials, use: { at: now() } } satisfies Kept<Answer>,
        status: 200,
        reading: NO_READING,
        askedAt: now(),
        freshUntil: Math.min(freshUntil, now() + LONGEST_MS),
        isLive: false,
        bytes: madeOf.reduce((sum, { key: question }) => sum + INGREDIENT_BYTES + 2 * question.length, bytes),
        // It stands in for nothing: what it is made of does.
        isFleeting: true,
      };
      memory.keep(fingerprint, PREFIX + key, entry, mark);
    },
  };
}

/** No question is older or newer than an answer. */
const NO_READING = { process: 'answers', number: 0, isRemembered: false };
