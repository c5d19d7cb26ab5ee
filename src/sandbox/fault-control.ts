import {
  type ArgumentRule,
  checkArgument,
  checkOptions,
  FUNCTION,
  isObject,
  oneOf,
  TEXT,
  wholeNumber,
} from '#check-arguments.ts';
import { API_VERSIONS, type ApiVersion, toVersion } from '#sandbox/api/versions.ts';
import { repeatsBasePath } from './base-path.ts';
import type { Faults, RequestMatch, SandboxRequest, StartTimer } from './faults.ts';

/**
 * Adds faults from tests. A wrong argument is a TypeError. `times` limits a fault to that many
 * matching requests; without it, it lasts until `heal()`.
 */
export interface FaultControl {
  /**
   * Responds with this status; `body` is sent as JSON, a string as plain text, the default is a `{
   * message }`.
   */
  fail(
    match: RequestMatch,
    response: { status: number; body?: unknown; headers?: Record<string, string>; times?: number },
  ): void;
  /** Delays the response by this time, in ms, or until the promise settles. */
  delay(match: RequestMatch, until: number | Promise<unknown>, times?: number): void;
  /** Sends no response until `release()` or `heal()`; an abort meanwhile is recorded in the log. */
  hang(match: RequestMatch, times?: number): void;
  /**
   * Breaks the connection: `TypeError('fetch failed')` with cause `ECONNRESET`; on a port, the
   * socket is destroyed.
   */
  reset(match: RequestMatch, times?: number): void;
  /** Sends status, headers and the first half of the body, then breaks the connection. */
  cut(match: RequestMatch, times?: number): void;
  /**
   * Sends status, headers and the first half of the body, and the rest at `release()` or `heal()`: a
   * half-open connection.
   */
  stall(match: RequestMatch, times?: number): void;
  /** Sends only the first half of the body, with status and headers unchanged: truncated JSON. */
  truncate(match: RequestMatch, times?: number): void;
  /**
   * Responds with this body instead, a web page for example. Defaults: status 200,
   * application/json; null sends no type.
   */
  corrupt(
    match: RequestMatch,
    body: string | Uint8Array,
    kind?: { contentType?: string | null; status?: number; headers?: Record<string, string> },
    times?: number,
  ): void;
  /**
   * Replaces each property of this name in a response, for example `status` by a value that the
   * schema lacks.
   */
  replace(match: RequestMatch, property: string, value: unknown, times?: number): void;
  /**
   * Changes the JSON of a response; `change` receives a copy of the whole body, `{ call: { … } }`
   * for example, and returns the body to send.
   */
  // biome-ignore lint/suspicious/noExplicitAny: the JSON is any response of the API, and tests reach into it.
  transform(match: RequestMatch, change: (json: any) => unknown, times?: number): void;
  /** Changes the JSON text of a response, for values that JavaScript cannot hold. */
  rewrite(match: RequestMatch, change: (json: string) => string, times?: number): void;
  /**
   * Responds in the form of this version of the API (see versions.ts). The sandbox itself must use
   * the documented version: no version is translated back.
   */
  respondAs(version: ApiVersion, match?: RequestMatch, times?: number): void;
  /** Resumes every hanging or delayed request; the rules still apply to later requests. */
  release(): void;
  /** Removes all faults, and resumes every hanging or delayed request. */
  heal(): void;
}

/** @param basePath is no part of the paths that a fault is compared with */
function createMatchRule(basePath: string): ArgumentRule {
  const start = basePath === '' ? 'the start of a path' : `the start of a path after ${basePath}`;
  return {
    expected: `${start}, such as "/call/", a regular expression or a function`,
    accepts: (value) =>
      value instanceof RegExp ||
      typeof value === 'function' ||
      (typeof value === 'string' && /^(\/|$)/.test(value) && !repeatsBasePath(basePath, value)),
  };
}

const TIMES: ArgumentRule = {
  expected: 'a whole number, 1 or more, or Infinity',
  accepts: (value) => value === Number.POSITIVE_INFINITY || wholeNumber(1).accepts(value),
};
const STATUS = wholeNumber(200, 599);
const WAIT: ArgumentRule = {
  expected: 'milliseconds, 0 or more, or a promise',
  accepts: (value) =>
    (typeof value === 'number' && value >= 0) ||
    (typeof value === 'object' && value !== null && 'then' in value),
};
const VERSION = oneOf(...API_VERSIONS);
/** With other names or values, the request would break instead. */
export const HEADERS: ArgumentRule = {
  expected: 'an object of names and values that HTTP permits, such as { "retry-after": "40" }',
  accepts(value) {
    if (!isObject(value) || Object.values(value).some((text) => typeof text !== 'string'))
      return false;
    try {
      new Headers(value as Record<string, string>);
      return true;
    } catch {
      return false;
    }
  },
};
const BODY: ArgumentRule = {
  expected: 'a text or bytes',
  accepts: (value) => typeof value === 'string' || value instanceof Uint8Array,
};
const ANYTHING: ArgumentRule = { expected: 'a JSON value', accepts: () => true };
const RESPONSE = { status: STATUS, body: ANYTHING, headers: HEADERS, times: TIMES };
const KIND = {
  contentType: {
    expected: 'a text or null',
    accepts: (value: unknown) => value === null || TEXT.accepts(value),
  },
  status: STATUS,
  headers: HEADERS,
};

/** Creates the control of the faults of a sandbox. */
export function createFaultControl(
  faults: Faults,
  startTimer: StartTimer,
  basePath: string,
): FaultControl {
  const matchRule = createMatchRule(basePath);
  const addRule = (
    match: RequestMatch,
    times: number | undefined,
    act: (request: SandboxRequest, next: () => Promise<Response>) => Promise<Response>,
  ) => {
    checkArgument('The requests of a fault', match, matchRule);
    if (times !== undefined) checkArgument('`times` of a fault', times, TIMES);
    faults.add({ match, times: times ?? Number.POSITIVE_INFINITY, act });
  };

  const rewrite: FaultControl['rewrite'] = (match, change, times) => {
    checkArgument('The change of a response', change, FUNCTION);
    addRule(match, times, async (_request, next) => {
      const response = await next();
      return new Response(change(await response.text()), response);
    });
  };

  return {
    rewrite,
    release: faults.release,
    heal() {
      faults.removeAll();
      faults.release();
    },

    fail(match, response) {
      checkOptions('`fail`', response, RESPONSE);
      const { status, headers = {}, times } = response;
      checkArgument('The option `status` of `fail`', status, STATUS);
      const { body = { message: `The sandbox responds with ${status}` } } = response;
      addRule(match, times, async () => {
        if (status === 204 || status === 304) return new Response(null, { status, headers });
        const isText = typeof body === 'string';
        const contentType = isText
          ? 'text/plain; charset=utf-8'
          : 'application/json; charset=utf-8';
        return new Response(isText ? body : JSON.stringify(body), {
          status,
          headers: { 'content-type': contentType, ...headers },
        });
      });
    },
    delay(match, until, times) {
      checkArgument('The time of a delay', until, WAIT);
      addRule(match, times, async (request, next) => {
        await faults.hold(request, (done) => {
          if (typeof until === 'number') return startTimer(done, until);
          until.then(done, done);
          return undefined;
        });
        return next();
      });
    },
    hang(match, times) {
      addRule(match, times, async (request, next) => {
        await faults.hold(request, () => undefined);
        return next();
      });
    },
    reset(match, times) {
      addRule(match, times, async () => {
        throw createConnectionReset();
      });
    },
    cut(match, times) {
      addRule(match, times, async (_request, next) =>
        sendInHalves(await next(), () => Promise.reject(createConnectionReset())),
      );
    },
    stall(match, times) {
      addRule(match, times, async (request, next) =>
        sendInHalves(await next(), () => faults.hold(request, () => undefined)),
      );
    },
    truncate(match, times) {
      addRule(match, times, async (_request, next) => {
        const response = await next();
        const text = await response.text();
        return new Response(text.slice(0, Math.floor(text.length / 2)), response);
      });
    },
    corrupt(match, body, kind = {}, times) {
      checkArgument('The body of `corrupt`', body, BODY);
      checkOptions('`corrupt`', kind, KIND);
      const { contentType = 'application/json', status = 200, headers = {} } = kind;
      addRule(
        match,
        times,
        async () =>
          // Of a text `Response` would derive a type.
          new Response(typeof body === 'string' ? Buffer.from(body) : new Uint8Array(body), {
            status,
            headers: {
              ...headers,
              ...(contentType === null ? {} : { 'content-type': contentType }),
            },
          }),
      );
    },
    replace(match, property, value, times) {
      checkArgument('The property to replace', property, TEXT);
      const replaceValue = (name: string, before: unknown) => (name === property ? value : before);
      rewrite(match, (json) => JSON.stringify(JSON.parse(json, replaceValue)), times);
    },
    transform(match, change, times) {
      checkArgument('The change of a response', change, FUNCTION);
      rewrite(match, (json) => JSON.stringify(change(JSON.parse(json))), times);
    },
    respondAs(version, match = '', times) {
      checkArgument('The version of the API', version, VERSION);
      addRule(match, times, async (_request, next) => {
        const response = await next();
        return new Response(JSON.stringify(toVersion(version, await response.json())), response);
      });
    },
  };
}

function createConnectionReset(): TypeError {
  return new TypeError('fetch failed', {
    cause: Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
  });
}

/** The same response, whose body stops in the middle until `between` settles. */
async function sendInHalves(response: Response, between: () => Promise<void>): Promise<Response> {
  const body = new Uint8Array(await response.arrayBuffer());
  const middle = body.length >> 1;
  const headers = new Headers(response.headers);
  headers.set('content-length', String(body.length));
  let isHalfSent = false;
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (!isHalfSent) {
        isHalfSent = true;
        controller.enqueue(body.subarray(0, middle));
        return;
      }
      await between();
      controller.enqueue(body.subarray(middle));
      controller.close();
    },
  });
  return new Response(stream, { status: response.status, headers });
}
