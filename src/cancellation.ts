/** Aborts work whose result is not needed any more. An `AbortSignal` is one: the names are the same. */
export interface CancellationSignal {
  readonly aborted: boolean;
  /** Why the work is cancelled. Undefined before that. */
  readonly reason: unknown;
  /** @throws the reason */
  throwIfAborted(): void;
  /** The listener is called at most once. A listener that is added after the abort is ignored. */
  addEventListener(
    type: 'abort',
    listener: () => void,
    options?: { readonly once?: boolean },
  ): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/**
 * An `AbortController` and its signal in one plain object. Each operation creates several: those of
 * Node.js are event targets, and take longer to create and to abort.
 */
export class Cancellation implements CancellationSignal {
  #isAborted = false;
  #reason: unknown;
  #listeners: Set<() => void> | undefined;

  get aborted(): boolean {
    return this.#isAborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  throwIfAborted(): void {
    if (this.#isAborted) throw this.#reason;
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    if (this.#isAborted) return;
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners?.delete(listener);
  }

  /**
   * Calls the listeners in the order in which they were added; one that an earlier one removes is
   * not called. An error of a listener does not reach the calling function: it becomes an uncaught
   * exception, as with an `AbortController`.
   * @param reason @default an `AbortError`
   */
  abort(reason: unknown = new DOMException('This operation was aborted', 'AbortError')): void {
    if (this.#isAborted) return;
    this.#isAborted = true;
    this.#reason = reason;
    if (!this.#listeners) return;
    for (const listener of this.#listeners) callListener(listener);
    this.#listeners = undefined;
  }
}

function callListener(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
