/** What a fault may look at to decide whether it is meant. */
export interface SandboxRequest {
  readonly method: string;
  /** With its query, without the base path: `/call?page=1&page_size=50`. */
  readonly path: string;
  readonly organizationId: string | null;
  readonly request: Request;
}

/** Which requests: those whose path (with query) starts so (`/call?` is the list, `/call/` are single calls), fits, or satisfies. */
export type RequestMatch = string | RegExp | ((request: SandboxRequest) => boolean);

/** The one mechanism behind every fault: for the next `times` matching requests, act, or let `next` answer and change what it said. */
export interface FaultRule {
  readonly match: RequestMatch;
  readonly times: number;
  act(request: SandboxRequest, next: () => Promise<Response>): Promise<Response>;
}

/** Starts a timer and returns what stops it. */
export type StartTimer = (run: () => void, ms: number) => () => void;

export interface Faults {
  add(rule: FaultRule): void;
  /** Waits for `until` (which returns what stops its timer) or `release`; rejects when the request is aborted. */
  hold(request: SandboxRequest, until: (done: () => void) => (() => void) | undefined): Promise<void>;
  /** Lets every request that is held go on. */
  release(): void;
  removeAll(): void;
  respond(request: SandboxRequest, respondNormally: () => Promise<Response>): Promise<Response>;
}

/** Rules apply in the order they were added, the first outermost; a rule is used up only by requests that reach it. */
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
          // Not answered after an abort: the rules behind this one must not be used up by a request that is gone.
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
          if (entry === undefined || entry.remainingTimes < 1 || !isMatch(entry.rule.match, request)) continue;
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
  // `search`, not `test`: a RegExp with the g flag remembers where it stopped.
  return typeof match === 'string' ? request.path.startsWith(match) : request.path.search(match) !== -1;
}
