/** The properties of a request that a fault may match. */
export interface SandboxRequest {
  readonly method: string;
  /** With its query, without the base path: `/call?page=1&page_size=50`. */
  readonly path: string;
  readonly organizationId: string | null;
  readonly request: Request;
}

/**
 * Selects requests by the start of their path with query (`/call?` is the list, `/call/` are single
 * calls), by a regular expression or by a predicate.
 */
export type RequestMatch = string | RegExp | ((request: SandboxRequest) => boolean);

/**
 * The single mechanism behind all faults: the next `times` matching requests run `act`, which may
 * call `next` and change its response.
 */
export interface FaultRule {
  readonly match: RequestMatch;
  readonly times: number;
  act(request: SandboxRequest, next: () => Promise<Response>): Promise<Response>;
}

/** Starts a timer and returns a cancel function. */
export type StartTimer = (run: () => void, ms: number) => () => void;

export interface Faults {
  add(rule: FaultRule): void;
  /**
   * Waits for `until` (which returns its timer's cancel function) or `release`; rejects when the
   * request is aborted.
   */
  hold(
    request: SandboxRequest,
    until: (done: () => void) => (() => void) | undefined,
  ): Promise<void>;
  /** Resumes every held request. */
  release(): void;
  removeAll(): void;
  respond(request: SandboxRequest, respondNormally: () => Promise<Response>): Promise<Response>;
}

/**
 * Rules apply in the order in which they were added, the first outermost; only requests that reach
 * a rule count against its `times`.
 */
export function createFaults(): Faults {
  let rules: { readonly rule: FaultRule; remainingTimes: number }[] = [];
  const held = new Set<() => void>();
  return {
    add(rule) {
      rules.push({ rule, remainingTimes: rule.times });
    },
    hold(request, until) {
      const { signal } = request.request;
      return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        let stop: (() => void) | undefined;
        const done = () => {
          held.delete(done);
          signal.removeEventListener('abort', done);
          stop?.();
          // An aborted request gets no response: it must not count against the rules that follow.
          if (signal.aborted) reject(signal.reason);
          else resolve();
        };
        held.add(done);
        signal.addEventListener('abort', done);
        stop = until(done);
      });
    },
    release() {
      for (const done of [...held]) done();
    },
    removeAll() {
      for (const entry of rules) entry.remainingTimes = 0;
      rules = [];
    },
    respond(request, respondNormally) {
      const activeRules = rules;
      const respondFrom = async (start: number): Promise<Response> => {
        for (let index = start; index < activeRules.length; index++) {
          const entry = activeRules[index];
          if (
            entry === undefined ||
            entry.remainingTimes < 1 ||
            !isMatch(entry.rule.match, request)
          )
            continue;
          entry.remainingTimes--;
          return entry.rule.act(request, () => respondFrom(index + 1));
        }
        return respondNormally();
      };
      return respondFrom(0);
    },
  };
}

function isMatch(match: RequestMatch, request: SandboxRequest): boolean {
  if (typeof match === 'function') return match(request);
  // `search`, not `test`: a RegExp with the g flag stores its last position.
  return typeof match === 'string'
    ? request.path.startsWith(match)
    : request.path.search(match) !== -1;
}
