import { BudgetExceededError, GatewayError } from '#errors/gateway-error.ts';
import { UpstreamError, UpstreamNotFoundError, UpstreamTimeoutError } from '#errors/upstream-error.ts';
import type { Errand, UpstreamCall } from '#rest/errand.ts';
import type { Answer, Ask, Question, Reading, Send } from '#rest/question.ts';
import { type Answers, createAnswers, type WholeAnswer } from './answers.ts';
import type { AnswerSource, CacheEvents, CacheState } from './cache-events.ts';
import { createFlights, type Departure, type Flight, FlightHeldError } from './flights.ts';
import { createFreshnessOf, type FreshnessSettings } from './freshness.ts';
import { createKeeper, isOfOneObject } from './keeper.ts';
import { createMemory, type Entry, isMissing } from './memory.ts';
import type { SharedTier } from './second-tier.ts';
import { createServingRules, isKnownNewer } from './serving-rules.ts';

export interface RememberOptions {
  /** Of all that is kept, bytes, estimated. */
  readonly maxBytes: number;
  readonly freshness: FreshnessSettings & {
    /** After its freshness an answer is served once more for so long, while it is fetched anew, ms. Never a live call, nor a list page. */
    readonly whileRevalidatingMs: number;
  };
  /** After its freshness an answer is served for so long where the upstream fails, ms. */
  readonly graceMs: number;
  /**
   * So long after the upstream took a credential, what is remembered is read without asking again, ms. Infinity where the credential is
   * the gateway's own.
   */
  readonly credentialRecheckMs: number;
  /** Fetched in the background at a time, for one credential: those who wait must not have to queue behind what nobody waits for. Default 10. */
  readonly maxRevalidations?: number;
  readonly secondTier?: SharedTier | undefined;
  /** Hears of a credential that was refused after it had been taken, by its fingerprint. */
  readonly onRefused: (fingerprint: string) => void;
  readonly events: CacheEvents;
  /** The clock, ms. */
  readonly now: () => number;
  /** A clock for durations, ms and parts of it. */
  readonly elapsed: () => number;
  readonly startTimer: (ms: number, onTime: () => void) => () => void;
}

/** What a flight brings home. */
interface Landing {
  readonly entry: Entry;
  readonly source: 'network' | 'redis';
}

/** Where a flight goes, and how far it has come. */
interface Course {
  readonly key: string;
  readonly newerThan: Reading | undefined;
  readonly departure: Departure;
  readonly dismissOthers: () => void;
}

/**
 * Nobody joins a question that was sent longer ago: what it brings may be as old. It is what a live call is fresh for, unless that is set;
 * no setting of its own, for a gateway that remembers nothing has to share its flights all the same.
 */
const JOINED_WITHIN_MS = 1_000;

/**
 * Who has something to show sits out no pause and no backoff that is longer than this: an upstream that fails is shown as it was. (One that is
 * slow is waited for: what it says is newer.)
 */
const PATIENCE_WITH_STAND_IN_MS = 1_000;

export interface RememberingAsk<Whole extends WholeAnswer> {
  readonly ask: Ask;
  /** To whole operations. */
  readonly answers: Answers<Whole>;
  readonly state: CacheState;
}

/**
 * Asks as little as possible: what was answered is remembered as long as it is fresh, and what is being asked is not asked again. The
 * same shape out as in: nobody above can tell that it is there, but for the upstream's silence.
 *
 * Everything is keyed by the credential's fingerprint. Nothing is remembered but answers, and the 404 and 410 of a single object.
 */
export function createRememberingAsk<Whole extends WholeAnswer>(send: Send, options: RememberOptions): RememberingAsk<Whole> {
  const {
    freshness,
    graceMs,
    credentialRecheckMs,
    maxRevalidations = 10,
    secondTier,
    events,
    now,
    elapsed,
    startTimer,
  } = options;
  const isRechecked = Number.isFinite(credentialRecheckMs);
  const memory = createMemory({ ...options, idleMs: graceMs + (isRechecked ? credentialRecheckMs : 0) });
  const keeper = createKeeper({ ...options, ...freshness, secondTier, memory, freshnessOf: createFreshnessOf(freshness) });
  const rules = createServingRules({ ...options, ...freshness, acceptedAt: memory.acceptedAt });
  const flights = createFlights();
  /** The flights that find out whether a credential is still taken, by its fingerprint. */
  const rechecks = new Map<string, Flight<Landing>>();
  /** How much is being fetched in the background, by fingerprint. */
  const revalidations = new Map<string, number>();
  /** The newest reading of this process that has come in. */
  let newest: Reading | undefined;

  const ask: Ask = async (errand, question, { newerThan } = {}) => {
    const { fingerprint } = errand.credential;
    const key = `${question.path}${question.query}`;
    const startedAt = elapsed();

    for (let hasWaited = false; ; ) {
      let landed: { readonly entry: Entry; readonly source: Exclude<AnswerSource, 'failed'> };
      const kept = memory.find(fingerprint, key);
      if (kept && rules.isUsable(kept, question.endpoint, newerThan)) {
        if (rules.isTrusted(fingerprint)) {
          if (now() < kept.freshUntil) return tell(kept, 'memory');
          revalidate(errand, question, key);
          return tell(kept, 'stale');
        }
        const recheck = rechecks.get(fingerprint);
        // One that is held may wait for this operation to end.
        if (recheck && !recheck.departure.isHeld && !hasWaited) {
          // One question tells for all whether the credential is still taken. If it does not, each asks for itself.
          hasWaited = true;
          const failure = await failureOf(recheck);
          // Where nobody answers, to ask once more would take as long again.
          if (failure !== undefined && rules.mayStandIn(kept, failure, fingerprint)) return tell(kept, 'stale');
          continue;
        }
      }

      const inTheAir = flights.find<Landing>(toFlightKey(fingerprint, key));
      const joined = inTheAir && mayJoin(inTheAir, errand, newerThan) ? inTheAir : undefined;
      if (joined) joined.departure.deadlineAt = Math.max(joined.departure.deadlineAt, errand.deadlineAt());
      let flight = joined;
      let stopWaiting = () => {};
      try {
        errand.signal.throwIfAborted();
        flight ??= takeOff(errand, question, key, newerThan);
        stopWaiting = errand.account.wait();
        const { entry, source } = await flight.join(errand.signal);
        // Who was sent had no wish, perhaps: what others have kept may be too old for the one who joined.
        if (source === 'redis' && !isKnownNewer(entry.reading, newerThan)) continue;
        landed = { entry, source: joined && source === 'network' ? 'coalesced' : source };
      } catch (cause) {
        const error = toTimeout(cause, errand, question);
        // The budgets of another operation do not apply to this one.
        if (joined && (error instanceof BudgetExceededError || error instanceof FlightHeldError)) continue;
        const stale = memory.find(fingerprint, key);
        if (!(stale && rules.mayStandIn(stale, error, fingerprint))) {
          events.onAnswered(question.endpoint, 'failed');
          const isOfUpstream = error instanceof UpstreamError;
          if (isOfUpstream) note(error.status ?? null, joined ? 'coalesced' : 'network', flight?.departure.sends);
          throw error;
        }
        landed = { entry: stale, source: 'stale' };
      } finally {
        stopWaiting();
      }
      return tell(landed.entry, landed.source, flight?.departure.sends);
    }

    function tell<T>(entry: Entry, source: Exclude<AnswerSource, 'failed'>, sends = 0): Answer<T> {
      events.onAnswered(question.endpoint, source);
      const isRemembered = source === 'memory' || source === 'redis';
      note(entry.status, isRemembered ? 'cache' : source, sends, entry);
      if (isMissing(entry.status)) throw new UpstreamNotFoundError({ method: 'GET', path: question.path }, entry.status);
      const reading = { ...entry.reading, isRemembered: isRemembered || source === 'stale' };
      return { value: entry.value as T, status: entry.status, reading };
    }

    function note(status: number | null, source: UpstreamCall['source'], sends = 0, entry?: Entry): void {
      const retries = sends > 1 ? { retries: sends - 1 } : {};
      errand.account.note(
        { method: 'GET', path: key, status, ms: elapsed() - startedAt, source, ...retries },
        entry,
        question.endpoint,
      );
    }

    async function failureOf(flight: Flight<Landing>): Promise<unknown> {
      const stopWaiting = errand.account.wait();
      try {
        await flight.join(errand.signal);
        return undefined;
      } catch (error) {
        return error;
      } finally {
        stopWaiting();
      }
    }
  };
  return {
    ask,
    answers: createAnswers<Whole>({ memory, rules, events, now }),
    get state() {
      const { bytes, entries } = memory;
      return { bytes, entries, flights: flights.size };
    },
  };

  function takeOff<T>(errand: Errand, question: Question<T>, key: string, newerThan?: Reading): Flight<Landing> {
    const { fingerprint } = errand.credential;
    const departure: Departure = {
      sentAt: undefined,
      after: 0,
      sends: 0,
      queuedFor: undefined,
      isHeld: false,
      deadlineAt: errand.deadlineAt(),
    };
    const flight = flights.start<Landing>(toFlightKey(fingerprint, key), departure, (signal, dismissOthers) =>
      fly({ ...errand, signal, deadlineAt: () => departure.deadlineAt }, question, { key, newerThan, departure, dismissOthers }),
    );
    if (!rules.isTrusted(fingerprint) && !rechecks.has(fingerprint)) {
      rechecks.set(fingerprint, flight);
      void flight.settled.then(() => rechecks.delete(fingerprint));
    }
    return flight;
  }

  async function fly<T>(errand: Errand, question: Question<T>, course: Course): Promise<Landing> {
    const { key, newerThan, departure, dismissOthers } = course;
    const { credential, signal } = errand;
    const { fingerprint } = credential;
    const kept = { owner: credential, question, key, mark: memory.mark() };
    // What is to be newer than a reading of this process cannot come from another.
    if (secondTier && newerThan?.process !== (newest?.process ?? '')) {
      const entry = await keeper.fetchShared(kept);
      if (entry && now() < entry.freshUntil && isKnownNewer(entry.reading, newerThan) && rules.isTrusted(fingerprint)) {
        return { entry, source: 'redis' };
      }
      signal.throwIfAborted();
    }
    try {
      departure.queuedFor = errand;
      const answer = await send(toPatient(errand, key), question, {
        onSent(at) {
          kept.mark = memory.mark();
          departure.sentAt = at;
          departure.after = newest?.number ?? 0;
          departure.sends += 1;
          departure.queuedFor = undefined;
        },
        onFailed() {
          departure.sentAt = undefined;
          departure.queuedFor = errand;
        },
        onHeld(isHeld) {
          departure.isHeld = isHeld;
          if (isHeld) dismissOthers();
        },
      });
      if (!newest || answer.reading.number > newest.number) newest = answer.reading;
      memory.accept(fingerprint, answer.askedAt, kept.mark);
      return { entry: keeper.keepAnswer(kept, answer), source: 'network' };
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      if (rules.isRefusal(error, memory.find(fingerprint, key))) {
        const wasKnown = memory.refuse(fingerprint);
        if (wasKnown) options.onRefused(fingerprint);
        secondTier?.forget(credential, wasKnown);
      }
      if (!(error instanceof UpstreamNotFoundError && isOfOneObject(question.endpoint))) throw error;
      const askedAt = departure.sentAt ?? now();
      // Whoever is refused may be told that nothing is there: only of the gateway's own key it is a sign that it was taken.
      if (!isRechecked) memory.accept(fingerprint, askedAt, kept.mark);
      return { entry: keeper.keepMissing(kept, error.status ?? 404, askedAt), source: 'network' };
    }
  }

  /** As patient as those who wait, or less: who has something to show does not wait long for something newer. */
  function toPatient(errand: Errand, key: string): Errand {
    const { fingerprint } = errand.credential;
    const kept = memory.find(fingerprint, key);
    if (!kept || !rules.mayStandInForPause(kept, fingerprint)) return errand;
    const patientUntil = elapsed() + PATIENCE_WITH_STAND_IN_MS;
    return { ...errand, deadlineAt: () => Math.min(errand.deadlineAt(), patientUntil) };
  }

  /** Fetches anew what is served stale meanwhile; on the account of the operation that found it stale. */
  function revalidate<T>(errand: Errand, question: Question<T>, key: string): void {
    const { budget, credential } = errand;
    const { fingerprint } = credential;
    const underWay = revalidations.get(fingerprint) ?? 0;
    const isUnderWay = flights.find(toFlightKey(fingerprint, key)) !== undefined;
    if (isUnderWay || underWay >= maxRevalidations || budget.excess) return;
    revalidations.set(fingerprint, underWay + 1);
    void fetchInBackground(errand, question, key).finally(() => {
      const left = (revalidations.get(fingerprint) ?? 1) - 1;
      if (left > 0) revalidations.set(fingerprint, left);
      else revalidations.delete(fingerprint);
    });
  }

  /** Sends a request that no operation waits for. It may take as long as the operation that sends it, and outlast it. */
  async function fetchInBackground<T>(errand: Errand, question: Question<T>, key: string): Promise<void> {
    const background = new AbortController();
    const budget = errand.budget.openBackground(background.signal);
    const stopTimer = startTimer(Math.max(0, errand.deadlineAt() - elapsed()), () => background.abort());
    const flight = takeOff({ ...errand, budget }, question, key);
    await flight.join(background.signal).catch(() => {});
    stopTimer();
    // Releases the bytes that it holds.
    background.abort();
  }

  /** What is yet to be sent brings what is newest; but nobody waits in the queue of another. */
  function mayJoin(
    { departure: { sentAt, after, queuedFor, isHeld } }: Flight<Landing>,
    { caller }: Errand,
    newerThan: Reading | undefined,
  ): boolean {
    if (isHeld || (newerThan && newerThan.process !== newest?.process)) return false;
    if (sentAt === undefined) return !queuedFor || queuedFor.caller === caller;
    return (!newerThan || after >= newerThan.number) && rules.isWithin(sentAt, JOINED_WITHIN_MS);
  }
}

/** Whoever leaves, or has to, is told that it took too long. */
function toTimeout(error: unknown, { signal }: Errand, { path }: Question<unknown>): unknown {
  if (!signal.aborted || error instanceof GatewayError) return error;
  return new UpstreamTimeoutError({ method: 'GET', path }, error);
}

/** The credential stands in every key: nobody joins another's flight. */
function toFlightKey(fingerprint: string, key: string): string {
  return `${fingerprint} ${key}`;
}
