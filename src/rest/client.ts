import { randomUUID } from 'node:crypto';
import { BudgetExceededError } from '#errors/gateway-error.ts';
import {
  CredentialRefusedError,
  QueueFullError,
  RateLimitedError,
  UpstreamError,
  UpstreamInvalidResponseError,
  UpstreamRejectedError,
  type UpstreamRequestLine,
  UpstreamTimeoutError,
  UpstreamUnavailableError,
} from '#errors/upstream-error.ts';
import type { AcceptedCredentials } from './accepted-credentials.ts';
import { createBreaker } from './breaker.ts';
import type { Budget, Errand } from './errand.ts';
import { createExchange, type ExchangeOptions, FailedRequest } from './exchange.ts';
import { createPauses } from './pauses.ts';
import { type Question, type Send, type Sending, type SentAnswer, WrongShapeError } from './question.ts';
import { CredentialRefusal, createRefusals } from './refusals.ts';
import { isWorthRetrying, toBackoffMs } from './retry.ts';
import { createRetryBudget } from './retry-budget.ts';
import { createTurns, PausedError, QueueOverflowError } from './turns.ts';
import { unlessAborted } from './unless-aborted.ts';
import type { UpstreamEvents, UpstreamState, WatchedRequest } from './upstream-events.ts';
import { createUsualLatency } from './usual-latency.ts';

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
  readonly acceptedCredentials: AcceptedCredentials;
  readonly events: UpstreamEvents;
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
  const { acceptedCredentials, events, elapsed, now, random } = options;
  const pauses = createPauses({
    ...options,
    isAccepted: acceptedCredentials.has,
    onChange: (credential) => turns.reconsider(credential),
  });
  const refusals = createRefusals(options);
  const turns = createTurns({
    ...options,
    perCredential: options.maxConcurrency,
    inAll: options.maxConcurrencyInAll,
    isAccepted: acceptedCredentials.has,
    isOnTrial: pauses.isOnTrial,
    pausedUntil: pauses.untilOf,
  });
  const breaker = createBreaker({ ...options.breaker, isAccepted: acceptedCredentials.has, elapsed, onChange: events.onBreaker });
  const retryBudget = createRetryBudget(elapsed, acceptedCredentials.has);
  const exchange = createExchange(options);
  const latency = createUsualLatency();
  const process = randomUUID();
  let sent = 0;

  return {
    async send(errand, question, sending) {
      const { budget, credential } = errand;
      if (budget.excess) throw budget.excess;
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
    const { endpoint, query } = question;
    const { credential, signal, budget } = errand;
    const line = toLine(question);
    const refusal = refusalOf(errand, line);
    if (refusal) throw refusal;
    const room = budget.awaitRoom();
    if (room) {
      sending?.onHeld(true);
      await awaitRoom(errand, line, room);
      sending?.onHeld(false);
    }
    if (budget.byteExcess) throw budget.byteExcess;
    // The queue is for those who have to wait: a promise for each that need not is dearer than its turn.
    const { leave, endTurn } = enterAtOnce(errand, question) ?? (await enterInTurn(errand, question));
    const startedAt = elapsed();
    let watched: WatchedRequest | undefined;
    let ending: Ending = NOT_SENT;
    try {
      sent += 1;
      const reading = { process, number: sent, isRemembered: false };
      const askedAt = now();
      sending?.onSent(askedAt);
      watched = events.onSend({ endpoint, resends, trace: errand.trace });
      ending = BUG;
      const { body, status, upstreamNow } = await exchange({
        line,
        query,
        credential,
        signal,
        budget,
        onPause(isPaused) {
          sending?.onHeld(isPaused);
          // A response that is not read occupies the upstream no more than an idle connection does.
          if (isPaused) endTurn();
        },
        headers: watched.headers,
      });
      const value = readValue(question, body, status);
      ending = { kind: undefined, status };
      return { value, status, upstreamNow, reading, askedAt };
    } catch (error) {
      if (error instanceof FailedRequest) ending = error;
      if (ending.status === 401) toRefusal(budget, line);
      throw error;
    } finally {
      const ms = elapsed() - startedAt;
      leave(ending.kind);
      watched?.onOver({ status: ending.status, failure: ending.kind, ms });
      heed(ending, credential.fingerprint, line.path);
      if (ending.kind === undefined) latency.note(endpoint, ms);
      // The upstream need not notice that nobody waits any more: until it has answered, as it usually does, the place is taken.
      if (ending.kind === 'aborted') options.startTimer(latency.leftMs(endpoint, ms), endTurn);
      else endTurn();
    }
  }

  /** Operations hold as many bytes as they may: this one waits until others have ended. */
  async function awaitRoom({ signal, budget }: Errand, line: UpstreamRequestLine, room: Promise<void>): Promise<void> {
    await unlessAborted(signal, room).catch((cause: unknown) => {
      throw cause instanceof BudgetExceededError ? cause : new UpstreamTimeoutError(line, cause);
    });
    if (budget.excess) throw budget.excess;
  }

  function readValue<T>(question: Question<T>, body: unknown, status: number): T {
    try {
      return question.read(body);
    } catch (cause) {
      if (!(cause instanceof WrongShapeError)) throw cause;
      const error = new UpstreamInvalidResponseError(toLine(question), cause.message, { status, cause });
      throw new FailedRequest('invalid', error);
    }
  }

  /** Does what the upstream asks of everyone who has this credential. */
  function heed({ kind, status, retryAfterMs }: Ending, credential: string, path: string): void {
    if (kind === undefined) accept(credential);
    else if (status === 401) refuse(credential, path);
    if (kind === 'rate-limited') events.onPause(pauses.begin(credential, retryAfterMs));
    else if (status !== null) pauses.end(credential);
  }

  function accept(credential: string): void {
    refusals.delete(credential);
    if (acceptedCredentials.has(credential)) return;
    acceptedCredentials.add(credential);
    turns.reconsider(credential);
  }

  function refuse(credential: string, path: string): void {
    refusals.add(credential, path);
    acceptedCredentials.delete(credential);
    turns.reconsider(credential);
    if (refusals.has(credential)) turns.rejectWaiting(credential, new CredentialRefusal());
  }

  /** Why a request is not sent, where the upstream has refused its credential. */
  function refusalOf({ budget, credential }: Errand, line: UpstreamRequestLine): UpstreamError | undefined {
    if (budget.refusal) return budget.refusal;
    return refusals.rejects(credential.fingerprint, line.path) ? toRefusal(budget, line) : undefined;
  }

  /** The gateway's own key serves other operations all the same; a caller's is of no more use to this one. */
  function toRefusal(budget: Budget, line: UpstreamRequestLine): UpstreamError {
    if (options.keyHolder === 'gateway') return new UpstreamRejectedError(line, 401, false);
    budget.refusal ??= new CredentialRefusedError(line, 401, false);
    return budget.refusal;
  }

  /** Undefined: others are to be waited for, or it may not be sent at all; nothing has happened then. */
  function enterAtOnce(errand: Errand, { endpoint }: Question<unknown>): Entered | undefined {
    if (errand.signal.aborted) return undefined;
    const endTurn = turns.takeAtOnce(errand.credential.fingerprint, errand.caller);
    const leave = endTurn && breaker.enter(errand, endpoint);
    if (!leave) {
      endTurn?.();
      return undefined;
    }
    errand.budget.sent += 1;
    events.onTurn(0);
    return { leave, endTurn };
  }

  /** Waits until a request may be sent. Each that is counts on the operation's budget, from when it begins to wait. */
  async function enterInTurn(errand: Errand, question: Question<unknown>): Promise<Entered> {
    const { credential, caller, budget, signal, deadlineAt } = errand;
    const line = toLine(question);
    if (!breaker.isPassable(errand, question.endpoint)) throw new UpstreamUnavailableError(line);
    budget.sent += 1;
    let endTurn = () => {};
    const startedAt = elapsed();
    try {
      endTurn = await turns.take({ credential: credential.fingerprint, caller, signal, latest: deadlineAt });
      events.onTurn(elapsed() - startedAt);
      signal.throwIfAborted();
      if (budget.byteExcess) throw budget.byteExcess;
      // While it waited, others may have failed.
      const leave = breaker.enter(errand, question.endpoint);
      if (!leave) throw new UpstreamUnavailableError(line);
      return { leave, endTurn };
    } catch (error) {
      endTurn();
      budget.sent -= 1;
      if (error instanceof QueueOverflowError) events.onOverflow();
      throw error instanceof CredentialRefusal ? toRefusal(budget, line) : toUnsent(line, error);
    }
  }

  /** Undefined: it is not sent again. */
  function toWaitMs(failed: FailedRequest, { credential, budget, deadlineAt }: Errand, resends: number): number | undefined {
    if (resends >= options.retries || budget.excess || !isWorthRetrying(failed)) return undefined;
    const isPaused = failed.kind === 'rate-limited';
    const waitMs = isPaused ? pauses.leftMs(credential.fingerprint) : toBackoffMs(failed, resends, random);
    if (elapsed() + waitMs >= deadlineAt()) return undefined;
    // A pause is waited for in the queue, with all the others of the credential, and then one is sent at a time: that is no load.
    if (isPaused) return 0;
    return retryBudget.spend(credential.fingerprint) ? waitMs : undefined;
  }

  function toSurfacing({ kind, error }: FailedRequest, { credential }: Errand): UpstreamError | BudgetExceededError {
    if (kind !== 'rate-limited' || !(error instanceof UpstreamError)) return error;
    // What is sent next is sent when the pause is over, however long the upstream has asked for.
    return new RateLimitedError(error, pauses.leftMs(credential.fingerprint), 429);
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

/** What a request has while it is under way. */
interface Entered {
  /** Tells the breaker how it ended. */
  readonly leave: NonNullable<ReturnType<ReturnType<typeof createBreaker>['enter']>>;
  readonly endTurn: () => void;
}

/** Why a request was not even sent. */
function toUnsent(line: UpstreamRequestLine, error: unknown): UpstreamError | BudgetExceededError {
  if (error instanceof UpstreamError || error instanceof BudgetExceededError) return error;
  if (error instanceof PausedError) return new RateLimitedError(line, error.leftMs);
  if (error instanceof QueueOverflowError) return new QueueFullError(line, QUEUE_RETRY_AFTER_MS);
  return new UpstreamTimeoutError(line, error);
}

/** How a request has ended. */
type Ending = Pick<FailedRequest, 'status'> & {
  readonly kind: FailedRequest['kind'] | undefined;
  readonly retryAfterMs?: number | undefined;
};

/** Something failed before it was under way, in what watches it for one. */
const NOT_SENT: Ending = { kind: 'aborted', status: null };
/** Whatever else is thrown is a bug, in what reads the answer. */
const BUG: Ending = { kind: 'invalid', status: null };

/** How long a queue takes nobody knows. */
const QUEUE_RETRY_AFTER_MS = 1_000;

function toLine({ path }: Question<unknown>): UpstreamRequestLine {
  return { method: 'GET', path };
}
