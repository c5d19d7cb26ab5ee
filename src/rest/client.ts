import { randomUUID } from 'node:crypto';
import { BudgetExceededError } from '#errors/gateway-error.ts';
import {
  QueueFullError,
  RateLimitedError,
  UpstreamError,
  UpstreamInvalidResponseError,
  type UpstreamRequestLine,
  UpstreamTimeoutError,
  UpstreamUnavailableError,
} from '#errors/upstream-error.ts';
import { createBreaker } from './breaker.ts';
import type { Errand } from './errand.ts';
import { createExchange, type ExchangeOptions, FailedRequest } from './exchange.ts';
import { createPauses } from './pauses.ts';
import { type Question, type Send, type Sending, type SentAnswer, WrongShapeError } from './question.ts';
import { isWorthRetrying, toBackoffMs } from './retry.ts';
import { createRetryBudget } from './retry-budget.ts';
import { type Asker, createTurns, PausedError, QueueOverflowError } from './turns.ts';
import { unlessAborted } from './unless-aborted.ts';
import type { FailureKind, UpstreamEvents, UpstreamState, WatchedRequest } from './upstream-events.ts';

export interface RestClientOptions extends ExchangeOptions {
  /** Requests in flight for one credential; more wait for their turn. */
  readonly maxConcurrency: number;
  /** Requests in flight in all. */
  readonly maxConcurrencyInAll: number;
  /** Requests of one caller that wait for their turn; more are refused. */
  readonly maxQueued: number;
  /** How often a request that failed is sent again. */
  readonly retries: number;
  readonly breaker: {
    /** So many failures open it, if they are half of all. */
    readonly failures: number;
    /** How long it stays open at first, ms. */
    readonly openMs: number;
  };
  readonly events: UpstreamEvents;
  /** A clock for durations, ms and parts of it; it never goes back. */
  readonly elapsed: () => number;
  /** 0 to 1. */
  readonly random: () => number;
}

export interface RestClient {
  readonly send: Send;
  readonly state: UpstreamState;
}

/**
 * Sends questions to the upstream, with manners: each waits for its turn, is sent again where that may help and harms nobody, and is not sent
 * at all where it would be in vain. Knows no endpoint. Everything that goes wrong is an `UpstreamError`, or `BudgetExceededError`.
 */
export function createRestClient(options: RestClientOptions): RestClient {
  const { events, elapsed, now, random } = options;
  const pauses = createPauses({ ...options, onChange: (credential) => turns.reconsider(credential) });
  const turns = createTurns({
    ...options,
    perCredential: options.maxConcurrency,
    inAll: options.maxConcurrencyInAll,
    isOnTrial: pauses.isOnTrial,
    pausedUntil: pauses.untilOf,
  });
  const breaker = createBreaker({ ...options.breaker, elapsed, onChange: events.onBreaker });
  const retryBudget = createRetryBudget(elapsed);
  const exchange = createExchange(options);
  const process = randomUUID();
  let sent = 0;

  return {
    async send(errand, question, sending) {
      const { budget, credential } = errand;
      if (budget.sent >= budget.limit) throw new BudgetExceededError(budget.limit);
      retryBudget.earn(credential.fingerprint);
      for (let resends = 0; ; resends += 1) {
        try {
          return await sendOnce(errand, question, resends, sending);
        } catch (error) {
          if (!(error instanceof FailedRequest)) throw error;
          const waitMs = toWaitMs(error, errand, resends);
          if (waitMs === undefined) throw toSurfacing(error, errand);
          sending?.onFailed();
          events.onRetry(question.endpoint, error.kind);
          await wait(waitMs, errand.signal, toLine(question));
        }
      }
    },
    get state() {
      return { ...turns.state, paused: pauses.count, breaker: breaker.state };
    },
  };

  /** @throws FailedRequest when it was sent in vain, else what surfaces: it was not sent */
  async function sendOnce<T>(
    errand: Errand,
    question: Question<T>,
    resends: number,
    sending: Sending | undefined,
  ): Promise<SentAnswer<T>> {
    const { leave, endTurn } = await admit(errand, question);
    try {
      sent += 1;
      const reading = { process, number: sent, isRemembered: false };
      const [askedAt, startedAt] = [now(), elapsed()];
      sending?.onSent(askedAt);
      const watched = events.onSend({ endpoint: question.endpoint, resends, trace: errand.trace });
      const tell = (status: number | null, failure: FailureKind | undefined) => {
        leave(failure);
        watched.onOver({ status, failure, ms: elapsed() - startedAt });
      };
      try {
        const received = await exchangeAbout(errand, question, watched.headers);
        tell(received.status, undefined);
        pauses.end(errand.credential.fingerprint);
        return { ...received, reading, askedAt };
      } catch (error) {
        // Anything else is a bug, in what reads the answer.
        const { kind, status } = error instanceof FailedRequest ? error : BUG;
        tell(status, kind);
        heed(error, errand.credential.fingerprint);
        throw error;
      }
    } finally {
      endTurn();
    }
  }

  /** Does what the upstream asks of everyone who has this credential. */
  function heed(error: unknown, credential: string): void {
    if (!(error instanceof FailedRequest)) return;
    if (error.kind === 'rate-limited') events.onPause(pauses.begin(credential, error.retryAfterMs));
    else if (error.status !== null) pauses.end(credential);
  }

  /** Waits until a request may be sent. Each that is counts on the operation's budget, from when it begins to wait. */
  async function admit({ credential: { fingerprint }, caller, budget, signal, deadlineAt }: Errand, question: Question<unknown>) {
    const line = toLine(question);
    if (!breaker.isPassable(fingerprint, question.endpoint)) throw new UpstreamUnavailableError(line);
    budget.sent += 1;
    try {
      const endTurn = await takeTurn({ credential: fingerprint, caller, signal, latest: deadlineAt });
      // While it waited, others may have failed.
      const leave = breaker.enter(fingerprint, question.endpoint);
      if (leave) return { leave, endTurn };
      endTurn();
      throw new UpstreamUnavailableError(line);
    } catch (error) {
      budget.sent -= 1;
      throw toUnsent(line, error);
    }
  }

  async function takeTurn(asker: Asker): Promise<() => void> {
    const startedAt = elapsed();
    const endTurn = await turns.take(asker);
    events.onTurn(elapsed() - startedAt);
    return endTurn;
  }

  async function exchangeAbout<T>({ credential, signal }: Errand, question: Question<T>, headers: WatchedRequest['headers']) {
    const line = toLine(question);
    const { body, ...received } = await exchange({ line, query: question.query, credential, signal, headers });
    try {
      return { ...received, value: question.read(body) };
    } catch (cause) {
      if (!(cause instanceof WrongShapeError)) throw cause;
      const { status } = received;
      throw new FailedRequest('invalid', new UpstreamInvalidResponseError(line, cause.message, { status, cause }));
    }
  }

  /** Undefined: it is not sent again. */
  function toWaitMs(failed: FailedRequest, { credential, budget, deadlineAt }: Errand, resends: number): number | undefined {
    if (resends >= options.retries || budget.sent >= budget.limit || !isWorthRetrying(failed)) return undefined;
    // It waits in the queue, with all the others of its credential, and after the pause one is sent at a time: that is no load.
    if (failed.kind === 'rate-limited') return 0;
    const waitMs = toBackoffMs(failed, resends, random);
    return elapsed() + waitMs < deadlineAt() && retryBudget.spend(credential.fingerprint) ? waitMs : undefined;
  }

  function toSurfacing({ kind, error, retryAfterMs }: FailedRequest, { credential }: Errand): UpstreamError {
    if (kind !== 'rate-limited') return error;
    // Where the upstream does not say for how long, what is sent next is sent when the pause is over.
    return new RateLimitedError(error, retryAfterMs ?? pauses.leftMs(credential.fingerprint), 429);
  }

  function wait(ms: number, signal: AbortSignal, line: UpstreamRequestLine): Promise<void> {
    if (ms === 0) return Promise.resolve();
    let stopTimer = () => {};
    const over = new Promise<void>((resolve) => {
      stopTimer = options.startTimer(ms, resolve);
    });
    return unlessAborted(signal, over)
      .catch((cause: unknown) => {
        throw new UpstreamTimeoutError(line, cause);
      })
      .finally(stopTimer);
  }
}

/** Why a request was not even sent. */
function toUnsent(line: UpstreamRequestLine, error: unknown): UpstreamError {
  if (error instanceof UpstreamError) return error;
  if (error instanceof PausedError) return new RateLimitedError(line, error.leftMs);
  if (error instanceof QueueOverflowError) return new QueueFullError(line, QUEUE_RETRY_AFTER_MS);
  return new UpstreamTimeoutError(line, error);
}

const BUG = { kind: 'invalid', status: null } as const;

/** How long a queue takes nobody knows. */
const QUEUE_RETRY_AFTER_MS = 1_000;

function toLine({ path }: Question<unknown>): UpstreamRequestLine {
  return { method: 'GET', path };
}
