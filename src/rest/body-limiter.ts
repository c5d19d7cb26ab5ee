import { BudgetExceededError } from '#errors/gateway-error.ts';
import type { UpstreamError } from '#errors/upstream-error.ts';
import type { Budget } from './errand.ts';

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
  readonly heldBytes: number;
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
  readonly maxBytesOfCredential?: number;
}

/** What every operation reads without asking: most read no more. */
const FREE_BYTES = 65_536;
const CHUNK_BYTES = 262_144;
/** A caller whose operations hold less reads on, whatever all others hold. */
const MIN_BYTES_OF_CALLER = 2 ** 20;

/** What the operations of one caller hold, and which of them wait. */
interface Caller {
  bytes: number;
  readonly waiting: Set<OperationBudget>;
}

/** What the operations of one credential hold. */
interface Holder {
  bytes: number;
  waiting: number;
  /** Those that hold something, the oldest first. */
  readonly holding: Set<OperationBudget>;
  /** Those whose operations hold something or wait; the first is next. */
  readonly callers: Map<string, Caller>;
}

export function createBodyLimiter(options: BodyLimiterOptions = {}): BodyLimiter {
  const { maxBytes = 32 * 2 ** 20, maxBytesOfCredential = 12 * 2 ** 20 } = options;
  const holders = new Map<string, Holder>();
  /** Those that hold something, the oldest first. */
  const holding = new Set<OperationBudget>();
  /** The credentials of which operations wait; the first is next. */
  const waiting = new Set<Holder>();
  let heldBytes = 0;

  const reservations: Reservations = {
    reserve(operation) {
      const holder = holderOf(operation.credential);
      const caller = callerOf(holder, operation.caller);
      if (!mayHold(operation, holder, caller)) return wait(operation, holder, caller);
      grant(operation, holder, caller);
      return undefined;
    },
    awaitRoom(operation) {
      // What it reads before it reserves anything is free.
      if (operation.held === 0) return undefined;
      const holder = holderOf(operation.credential);
      const caller = callerOf(holder, operation.caller);
      return mayHold(operation, holder, caller) ? undefined : wait(operation, holder, caller);
    },
    release(operation) {
      const holder = holderOf(operation.credential);
      const caller = callerOf(holder, operation.caller);
      heldBytes -= operation.held;
      holder.bytes -= operation.held;
      caller.bytes -= operation.held;
      operation.held = 0;
      holding.delete(operation);
      holder.holding.delete(operation);
      stopWaiting(operation, holder, caller);
      if (caller.bytes === 0 && caller.waiting.size === 0) holder.callers.delete(operation.caller);
      if (holder.callers.size === 0) holders.delete(operation.credential);
      wake();
    },
  };

  return {
    openBudget: (operation) => new OperationBudget(operation, reservations),
    get heldBytes() {
      return heldBytes;
    },
  };

  function holderOf(credential: string): Holder {
    let holder = holders.get(credential);
    if (!holder) {
      holder = { bytes: 0, waiting: 0, holding: new Set(), callers: new Map() };
      holders.set(credential, holder);
    }
    return holder;
  }

  function callerOf({ callers }: Holder, name: string): Caller {
    let caller = callers.get(name);
    if (!caller) {
      caller = { bytes: 0, waiting: new Set() };
      callers.set(name, caller);
    }
    return caller;
  }

  function mayHold(operation: OperationBudget, holder: Holder, caller: Caller): boolean {
    if (caller.bytes < MIN_BYTES_OF_CALLER || isFirst(holding, operation)) return true;
    return heldBytes < maxBytes && (holder.bytes < maxBytesOfCredential || isFirst(holder.holding, operation));
  }

  function grant(operation: OperationBudget, holder: Holder, caller: Caller): void {
    const bytes = Math.max(1, Math.ceil(operation.missing / CHUNK_BYTES)) * CHUNK_BYTES;
    operation.held += bytes;
    heldBytes += bytes;
    holder.bytes += bytes;
    caller.bytes += bytes;
    holding.add(operation);
    holder.holding.add(operation);
  }

  function wait(operation: OperationBudget, holder: Holder, caller: Caller): Promise<void> {
    caller.waiting.add(operation);
    holder.waiting += 1;
    waiting.add(holder);
    return operation.wait();
  }

  function stopWaiting(operation: OperationBudget, holder: Holder, caller: Caller): void {
    if (!caller.waiting.delete(operation)) return;
    holder.waiting -= 1;
    if (holder.waiting === 0) waiting.delete(holder);
  }

  function wake(): void {
    for (const holder of waiting) {
      const next = nextOf(holder);
      if (!next) continue;
      const caller = callerOf(holder, next.caller);
      stopWaiting(next, holder, caller);
      // Behind the other callers, and the other credentials.
      holder.callers.delete(next.caller);
      holder.callers.set(next.caller, caller);
      waiting.delete(holder);
      if (holder.waiting > 0) waiting.add(holder);
      grant(next, holder, caller);
      next.readOn();
    }
  }

  /** Of the operations that wait, the one that is next among those that may read on. The oldest comes first: it may always do so. */
  function nextOf(holder: Holder): OperationBudget | undefined {
    const [oldest] = holder.holding;
    if (oldest?.isWaiting && mayHold(oldest, holder, callerOf(holder, oldest.caller))) return oldest;
    for (const caller of holder.callers.values()) {
      const [first] = caller.waiting;
      if (first && mayHold(first, holder, caller)) return first;
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
  awaitRoom(operation: OperationBudget): Promise<void> | undefined;
  release(operation: OperationBudget): void;
}

class OperationBudget implements Budget {
  readonly limit: number;
  refusal: UpstreamError | undefined;
  readonly credential: string;
  readonly caller: string;
  /** Reserved beyond what is free. */
  held = 0;
  readonly #maxBytes: number;
  readonly #signal: AbortSignal;
  readonly #reservations: Reservations;
  readonly #operation: OperationBudget | undefined;
  #sent = 0;
  #bytes = 0;
  /** One for all fields: each takes a stack. */
  #byteExcess: BudgetExceededError | undefined;
  #isWatched = false;
  #waiting: PromiseWithResolvers<void> | undefined;

  /** @param operation whose requests it counts among, where it has bytes of its own */
  constructor(
    { credential, caller = '', signal, maxRequests, maxBytes }: BudgetedOperation,
    reservations: Reservations,
    operation?: OperationBudget,
  ) {
    this.limit = maxRequests;
    this.credential = credential;
    this.caller = caller;
    this.#maxBytes = maxBytes;
    this.#signal = signal;
    this.#reservations = reservations;
    this.#operation = operation;
  }

  get sent(): number {
    return this.#operation?.sent ?? this.#sent;
  }

  set sent(requests: number) {
    if (this.#operation) this.#operation.sent = requests;
    else this.#sent = requests;
  }

  get excess(): BudgetExceededError | undefined {
    return this.byteExcess ?? (this.sent < this.limit ? undefined : new BudgetExceededError('requests', this.limit));
  }

  get byteExcess(): BudgetExceededError | undefined {
    return this.#bytes > this.#maxBytes ? this.#tooManyBytes() : undefined;
  }

  get isWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  /** What it has read and not reserved, bytes. */
  get missing(): number {
    return this.#bytes - this.held - FREE_BYTES;
  }

  read(bytes: number): Promise<void> | undefined {
    this.#bytes += bytes;
    if (this.#bytes > this.#maxBytes) throw this.#tooManyBytes();
    if (this.missing <= 0) return undefined;
    this.#watch();
    return this.#waiting?.promise ?? this.#reservations.reserve(this);
  }

  awaitRoom(): Promise<void> | undefined {
    if (this.#waiting) return this.#waiting.promise;
    if (this.#signal.aborted) return undefined;
    const room = this.#reservations.awaitRoom(this);
    if (room) this.#watch();
    return room;
  }

  openBackground(signal: AbortSignal): Budget {
    const { credential, caller, limit: maxRequests } = this;
    const request = { credential, caller, signal, maxRequests, maxBytes: this.#maxBytes };
    return new OperationBudget(request, this.#reservations, this);
  }

  /** The limiter has put it into its queue. */
  wait(): Promise<void> {
    this.#waiting = Promise.withResolvers();
    // Whether it is still awaited or not.
    this.#waiting.promise.catch(() => {});
    return this.#waiting.promise;
  }

  readOn(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }

  /** What it holds is released with its signal. A request of it may still be in flight, for another operation: large bodies are not read for that. */
  #watch(): void {
    if (this.#signal.aborted) throw this.#tooManyBytes();
    if (this.#isWatched) return;
    this.#isWatched = true;
    const onEnd = () => {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      this.#reservations.release(this);
      waiting?.reject(this.#tooManyBytes());
    };
    this.#signal.addEventListener('abort', onEnd, { once: true });
  }

  #tooManyBytes(): BudgetExceededError {
    this.#byteExcess ??= new BudgetExceededError('bytes', this.#maxBytes);
    return this.#byteExcess;
  }
}
