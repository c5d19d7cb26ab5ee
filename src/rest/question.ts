import type { Errand } from './errand.ts';

/** The endpoints that are read, by their path templates. */
export type Endpoint =
  | '/call/{id}'
  | '/call'
  | '/assistants/{id}'
  | '/assistants'
  | '/campaigns/{id}'
  | '/campaigns'
  | '/campaigns/{id}/rows';

/** One GET, and how its answer is read. Two of the same path and query are the same question. */
export interface Question<T> {
  readonly endpoint: Endpoint;
  /** Encoded, ids included, without origin and query. */
  readonly path: string;
  /** The query string with its question mark; empty when there is none. */
  readonly query: string;
  /**
   * The answer's body as it is passed on, frozen as far as it is new.
   * @throws WrongShapeError when it is not what the documents promise
   */
  read(body: unknown): T;
  /** Whole answers to other questions that stand in this one's. */
  held?(value: T): Iterable<HeldAnswer>;
}

/** An answer is not what the documents promise: the message says what is missing. Never leaves this room. */
export class WrongShapeError extends Error {
  override name = 'WrongShapeError';
}

export interface HeldAnswer {
  readonly endpoint: Endpoint;
  readonly path: string;
  readonly value: unknown;
}

export interface Answer<T> {
  readonly value: T;
  readonly status: number;
  readonly reading: Reading;
}

/** An answer as it came from the upstream. */
export interface SentAnswer<T> extends Answer<T> {
  /** When the question was sent, by our clock, ms. */
  readonly askedAt: number;
  /** When it was answered, by the upstream's own clock (its `Date`), ms; by ours where it tells none. */
  readonly upstreamNow: number;
}

/**
 * Which reading of the upstream an answer comes from. Of two readings of one process the one with the greater number was sent later;
 * nothing is known of the order of two processes.
 */
export interface Reading {
  readonly process: string;
  readonly number: number;
  /** Not read for the one who asks, but kept from an earlier question. */
  readonly isRemembered: boolean;
}

export interface Wish {
  /** Nothing will do that was sent before this reading, or is not known to have been sent after it. */
  readonly newerThan?: Reading | undefined;
}

/** Asks, and gives the answer or an error with a code. */
export type Ask = <T>(errand: Errand, question: Question<T>, wish?: Wish) => Promise<Answer<T>>;

/** Asks the upstream itself: as often as it takes, and may help. */
export type Send = <T>(errand: Errand, question: Question<T>, sending?: Sending) => Promise<SentAnswer<T>>;

/** Hears how a question is sent. */
export interface Sending {
  /** It is under way, from this moment on by our clock, ms. */
  onSent(at: number): void;
  /** That was in vain, and it will be sent again. */
  onFailed(): void;
  /** It waits until other operations have ended, or goes on: see `BodyLimiter`. */
  onHeld(isHeld: boolean): void;
}
