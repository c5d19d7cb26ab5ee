import { BudgetExceededError } from '#errors/gateway-error.ts';
import type { UpstreamError } from '#errors/upstream-error.ts';
import type { Budget } from '#rest/upstream-context.ts';

/**
 * Bounds the bytes of response bodies that operations hold, overall and per credential. An operation holds what it reads until it ends: its
 * answer is made of that. Where a bound is reached, the operation that holds bytes for the longest time reads on, up to its own budget, so one
 * always comes to its end; the others pause, and read on as bytes are released, credential by credential, and caller by caller within it. Each caller
 * may always hold a minimum, so that no other caller stalls it.
 */
export interface BodyLimiter {
  /** What one operation may ask of the upstream. What it holds is released when its signal aborts. */
  openBudget(operation: BudgetedOperation): Budget;
  /** Of all operations, bytes. */
  readonly reservedBytes: number;
}

export interface BudgetedOperation {
  /** The fingerprint. */
  readonly credential: string;
  /** Which of those who share the credential; undefined where they are not told apart. */
  readonly caller: string | undefined;
  readonly signal: AbortSignal;
  readonly maxRequests: number;
  /** Of bodies, decoded, retries included. */
  readonly maxBytes: number;
}

export interface BodyLimiterOptions {
  /** Of all operations together, bytes. The one that always reads on may exceed it by its own budget. Default 32 MiB. */
  readonly maxBytes?: number;
  /** Of all operations of one credential, bytes. Default 12 MiB. */
  readonly maxBytesPerCredential?: number;
}

/** What every operation reads without asking: most read no more. */
const FREE_BYTES = 65_536;
const RESERVATION_BYTES = 262_144;
/** A caller whose operations hold less reads on, whatever all others hold. */
const MIN_BYTES_PER_CALLER = 2 ** 20;

/** What the operations of one caller hold, and which of them wait. */
interface CallerUsage {
  bytes: number;
  readonly waiting: Set<OperationBudget>;
}

/** What the operations of one credential hold. */
interface CredentialUsage {
  bytes: number;
  waiting: number;
  /** Those that hold something, the oldest first. */
  readonly reservedBy: Set<OperationBudget>;
  /** Those whose operations hold something or wait; the first is next. */
  readonly callers: Map<string, CallerUsage>;
}

export function createBodyLimiter(options: BodyLimiterOptions = {}): BodyLimiter {
  const { maxBytes = 32 * 2 ** 20, maxBytesPerCredential = 12 * 2 ** 20 } = options;
  const usageByCredential = new Map<string, CredentialUsage>();
  /** Those that hold something, the oldest first. */
  const reservedBy = new Set<OperationBudget>();
  /** The credentials of which operations wait; the first is next. */
  const waitingCredentials = new Set<CredentialUsage>();
  let reservedBytes = 0;

  const reservations: Reservations = {
    reserve(operation) {
      const credentialUsage = credentialUsageOf(operation.credential);
      const callerUsage = callerUsageOf(credentialUsage, operation.caller);
      if (!canReserve(operation, credentialUsage, callerUsage)) return enqueue(operation, credentialUsage, callerUsage);
      grant(operation, credentialUsage, callerUsage);
      return undefined;
    },
    waitForCapacity(operation) {
      // What it reads before it reserves anything is free.
      if (operation.reservedBytes === 0) return undefined;
      const credentialUsage = credentialUsageOf(operation.credential);
      const callerUsage = callerUsageOf(credentialUsage, operation.caller);
      return canReserve(operation, credentialUsage, callerUsage) ? undefined : enqueue(operation, credentialUsage, callerUsage);
    },
    release(operation) {
      const credentialUsage = credentialUsageOf(operation.credential);
      const callerUsage = callerUsageOf(credentialUsage, operation.caller);
      reservedBytes -= operation.reservedBytes;
      credentialUsage.bytes -= operation.reservedBytes;
      callerUsage.bytes -= operation.reservedBytes;
      operation.reservedBytes = 0;
      reservedBy.delete(operation);
      credentialUsage.reservedBy.delete(operation);
      dequeue(operation, credentialUsage, callerUsage);
      if (callerUsage.bytes === 0 && callerUsage.waiting.size === 0) credentialUsage.callers.delete(operation.caller);
      if (credentialUsage.callers.size === 0) usageByCredential.delete(operation.credential);
      dispatch();
    },
  };

  return {
    openBudget: (operation) => new OperationBudget(operation, reservations),
    get reservedBytes() {
      return reservedBytes;
    },
  };

  function credentialUsageOf(credential: string): CredentialUsage {
    let credentialUsage = usageByCredential.get(credential);
    if (!credentialUsage) {
      credentialUsage = { bytes: 0, waiting: 0, reservedBy: new Set(), callers: new Map() };
      usageByCredential.set(credential, credentialUsage);
    }
    return credentialUsage;
  }

  function callerUsageOf({ callers }: CredentialUsage, name: string): CallerUsage {
    let callerUsage = callers.get(name);
    if (!callerUsage) {
      callerUsage = { bytes: 0, waiting: new Set() };
      callers.set(name, callerUsage);
    }
    return callerUsage;
  }

  function canReserve(operation: OperationBudget, credentialUsage: CredentialUsage, callerUsage: CallerUsage): boolean {
    if (callerUsage.bytes < MIN_BYTES_PER_CALLER || isFirst(reservedBy, operation)) return true;
    return (
      reservedBytes < maxBytes &&
      (credentialUsage.bytes < maxBytesPerCredential || isFirst(credentialUsage.reservedBy, operation))
    );
  }

  function grant(operation: OperationBudget, credentialUsage: CredentialUsage, callerUsage: CallerUsage): void {
    const bytes = Math.max(1, Math.ceil(operation.unreservedBytes / RESERVATION_BYTES)) * RESERVATION_BYTES;
    operation.reservedBytes += bytes;
    reservedBytes += bytes;
    credentialUsage.bytes += bytes;
    callerUsage.bytes += bytes;
    reservedBy.add(operation);
    credentialUsage.reservedBy.add(operation);
  }

  function enqueue(operation: OperationBudget, credentialUsage: CredentialUsage, callerUsage: CallerUsage): Promise<void> {
    callerUsage.waiting.add(operation);
    credentialUsage.waiting += 1;
    waitingCredentials.add(credentialUsage);
    return operation.startWaiting();
  }

  function dequeue(operation: OperationBudget, credentialUsage: CredentialUsage, callerUsage: CallerUsage): void {
    if (!callerUsage.waiting.delete(operation)) return;
    credentialUsage.waiting -= 1;
    if (credentialUsage.waiting === 0) waitingCredentials.delete(credentialUsage);
  }

  function dispatch(): void {
    for (const credentialUsage of waitingCredentials) {
      const next = nextOf(credentialUsage);
      if (!next) continue;
      const callerUsage = callerUsageOf(credentialUsage, next.caller);
      dequeue(next, credentialUsage, callerUsage);
      // Behind the other callers, and the other credentials.
      credentialUsage.callers.delete(next.caller);
      credentialUsage.callers.set(next.caller, callerUsage);
      waitingCredentials.delete(credentialUsage);
      if (credentialUsage.waiting > 0) waitingCredentials.add(credentialUsage);
      grant(next, credentialUsage, callerUsage);
      next.resume();
    }
  }

  /** Of the operations that wait, the one that is next among those that may read on. The oldest comes first: it may always do so. */
  function nextOf(credentialUsage: CredentialUsage): OperationBudget | undefined {
    const [oldest] = credentialUsage.reservedBy;
    if (oldest?.isWaiting && canReserve(oldest, credentialUsage, callerUsageOf(credentialUsage, oldest.caller))) return oldest;
    for (const callerUsage of credentialUsage.callers.values()) {
      const [first] = callerUsage.waiting;
      if (first && canReserve(first, credentialUsage, callerUsage)) return first;
    }
    return undefined;
  }
}

function isFirst(operations: ReadonlySet<OperationBudget>, operation: OperationBudget): boolean {
  const [first] = operations;
  return first === operation;
}

/** How the budgets of operations reach the limiter. */
interface Reservations {
  /** @returns when the operation may read on; undefined: at once */
  reserve(operation: OperationBudget): Promise<void> | undefined;
  /** @returns when the operation may send its next request; undefined: at once */
  waitForCapacity(operation: OperationBudget): Promise<void> | undefined;
  release(operation: OperationBudget): void;
}

class OperationBudget implements Budget {
  readonly maxRequests: number;
  credentialRejection: UpstreamError | undefined;
  readonly credential: string;
  readonly caller: string;
  /** Reserved beyond what is free. */
  reservedBytes = 0;
  readonly #maxBytes: number;
  readonly #signal: AbortSignal;
  readonly #reservations: Reservations;
  readonly #parent: OperationBudget | undefined;
  #sentRequests = 0;
  #receivedBytes = 0;
  /** One for all fields: each takes a stack. */
  #bytesExceededError: BudgetExceededError | undefined;
  #isListening = false;
  #pendingWait: PromiseWithResolvers<void> | undefined;

  /** @param parent whose requests it counts among, where it has bytes of its own */
  constructor(
    { credential, caller = '', signal, maxRequests, maxBytes }: BudgetedOperation,
    reservations: Reservations,
    parent?: OperationBudget,
  ) {
    this.maxRequests = maxRequests;
    this.credential = credential;
    this.caller = caller;
    this.#maxBytes = maxBytes;
    this.#signal = signal;
    this.#reservations = reservations;
    this.#parent = parent;
  }

  get sentRequests(): number {
    return this.#parent?.sentRequests ?? this.#sentRequests;
  }

  set sentRequests(requests: number) {
    if (this.#parent) this.#parent.sentRequests = requests;
    else this.#sentRequests = requests;
  }

  get exceededError(): BudgetExceededError | undefined {
    return (
      this.bytesExceededError ??
      (this.sentRequests < this.maxRequests ? undefined : new BudgetExceededError('requests', this.maxRequests))
    );
  }

  get bytesExceededError(): BudgetExceededError | undefined {
    return this.#receivedBytes > this.#maxBytes ? this.#tooManyBytes() : undefined;
  }

  get isWaiting(): boolean {
    return this.#pendingWait !== undefined;
  }

  /** What it has read and not reserved, bytes. */
  get unreservedBytes(): number {
    return this.#receivedBytes - this.reservedBytes - FREE_BYTES;
  }

  consumeBytes(bytes: number): Promise<void> | undefined {
    this.#receivedBytes += bytes;
    if (this.#receivedBytes > this.#maxBytes) throw this.#tooManyBytes();
    if (this.unreservedBytes <= 0) return undefined;
    this.#releaseOnAbort();
    return this.#pendingWait?.promise ?? this.#reservations.reserve(this);
  }

  waitForCapacity(): Promise<void> | undefined {
    if (this.#pendingWait) return this.#pendingWait.promise;
    if (this.#signal.aborted) return undefined;
    const capacityAvailable = this.#reservations.waitForCapacity(this);
    if (capacityAvailable) this.#releaseOnAbort();
    return capacityAvailable;
  }

  openBackground(signal: AbortSignal): Budget {
    const { credential, caller, maxRequests } = this;
    const operation = { credential, caller, signal, maxRequests, maxBytes: this.#maxBytes };
    return new OperationBudget(operation, this.#reservations, this);
  }

  /** The limiter has put it into its queue. */
  startWaiting(): Promise<void> {
    this.#pendingWait = Promise.withResolvers();
    // Whether it is still awaited or not.
    this.#pendingWait.promise.catch(() => {});
    return this.#pendingWait.promise;
  }

  resume(): void {
    this.#pendingWait?.resolve();
    this.#pendingWait = undefined;
  }

  /** What it holds is released with its signal. A request of it may still be in flight, for another operation: large bodies are not read for that. */
  #releaseOnAbort(): void {
    if (this.#signal.aborted) throw this.#tooManyBytes();
    if (this.#isListening) return;
    this.#isListening = true;
    const onEnd = () => {
      const pendingWait = this.#pendingWait;
      this.#pendingWait = undefined;
      this.#reservations.release(this);
      pendingWait?.reject(this.#tooManyBytes());
    };
    this.#signal.addEventListener('abort', onEnd, { once: true });
  }

  #tooManyBytes(): BudgetExceededError {
    this.#bytesExceededError ??= new BudgetExceededError('bytes', this.#maxBytes);
    return this.#bytesExceededError;
  }
}
