import type { ApiVersion } from '#sandbox/api/versions.ts';
import { toVersion } from '#sandbox/api/versions.ts';
import type {
  Assistant,
  Call,
  CallAttempt,
  CallStatus,
  Campaign,
  CampaignRow,
} from '#sandbox/api/wire.ts';
import { generateInsertedCall, generateInsertedRow } from '#sandbox/data/generate-insertions.ts';
import type { Organization } from '#sandbox/data/organization.ts';
import { putCall, removeAttempts, removeCalls } from '#sandbox/data/organization.ts';
import type { Faults, RequestMatch, SandboxRequest, StartTimer } from './faults.ts';

/**
 * One organization's live data: the objects that the sandbox serves, so a change is visible to the
 * next request.
 */
export interface SandboxData {
  readonly calls: Call[];
  /** In the order of GET /call. */
  readonly attempts: CallAttempt[];
  readonly assistants: Assistant[];
  readonly campaigns: Campaign[];
  /** Campaign id → its rows, in order. */
  readonly rows: Readonly<Record<string, CampaignRow[]>>;
}

/**
 * Controls the sandbox from tests. `times` limits a fault to that many matching requests; without
 * it, it lasts until `heal()`.
 */
export interface SandboxControl {
  /** Empties the log and resets `maxInFlight`. */
  clearLog(): void;
  /** The data of the organization with this key. */
  data(apiKey: string): SandboxData;
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
  /** Changes the JSON of a response; `change` receives a copy. */
  // biome-ignore lint/suspicious/noExplicitAny: the JSON is any response of the API, and tests reach into it.
  transform(match: RequestMatch, change: (json: any) => unknown, times?: number): void;
  /** Changes the JSON text of a response, for values that JavaScript cannot hold. */
  rewrite(match: RequestMatch, change: (json: string) => string, times?: number): void;
  /**
   * Responds in the form of this version of the API (see versions.ts). The sandbox itself must use
   * the documented version: no version is translated back.
   */
  respondAs(version: ApiVersion, match?: RequestMatch, times?: number): void;
  /**
   * Inserts attempts before this index, each with an order of its own (finished, or with `status`);
   * returns them.
   */
  insertAttempts(
    apiKey: string,
    insertion: {
      at: number;
      count?: number;
      items?: readonly Partial<CallAttempt>[];
      status?: CallStatus;
    },
  ): CallAttempt[];
  /** Removes attempts from the list; their orders do not change. */
  removeAttempts(apiKey: string, ids: readonly string[]): void;
  /** Inserts rows without a call before this index; returns them. */
  insertRows(
    apiKey: string,
    campaignId: string,
    insertion: { at: number; count?: number; items?: readonly Partial<CampaignRow>[] },
  ): CampaignRow[];
  /** Removes rows from a campaign. */
  removeRows(apiKey: string, campaignId: string, ids: readonly string[]): void;
  /** Adds a call, or replaces the one with its id everywhere: lookup, list, rows. */
  putCall(apiKey: string, call: Call): void;
  /** Removes a call with its attempts; its row remains, without a call. */
  removeCall(apiKey: string, id: string): void;
  /** Resumes every hanging or delayed request; the rules still apply to later requests. */
  release(): void;
  /** Removes all faults, and resumes every hanging or delayed request. */
  heal(): void;
  /** Number of requests in flight. */
  inFlight(): number;
  /** Maximum number of requests in flight at the same time since the start or `clearLog()`. */
  maxInFlight(): number;
}

/** The parts of a sandbox that its control uses. */
export interface ControlledSandbox {
  readonly seed: number;
  readonly faults: Faults;
  readonly startTimer: StartTimer;
  now(): number;
  organizationOf(apiKey: string): Organization;
  clearLog(): void;
  inFlight(): number;
  maxInFlight(): number;
}

/** Creates the control of a sandbox. */
export function createControl(sandbox: ControlledSandbox): SandboxControl {
  const { faults, seed } = sandbox;
  let inserted = 0;
  const addRule = (
    match: RequestMatch,
    times: number | undefined,
    act: (request: SandboxRequest, next: () => Promise<Response>) => Promise<Response>,
  ) => faults.add({ match, times: times ?? Number.POSITIVE_INFINITY, act });

  return {
    clearLog: sandbox.clearLog,
    inFlight: sandbox.inFlight,
    maxInFlight: sandbox.maxInFlight,
    release: faults.release,
    heal() {
      faults.removeAll();
      faults.release();
    },

    fail(
      match,
      { status, body = { message: `The sandbox responds with ${status}` }, headers = {}, times },
    ) {
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
      addRule(match, times, async (request, next) => {
        await faults.hold(request, (done) => {
          if (typeof until === 'number') return sandbox.startTimer(done, until);
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
        throw new TypeError('fetch failed', {
          cause: Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
        });
      });
    },
    truncate(match, times) {
      addRule(match, times, async (_request, next) => {
        const response = await next();
        const text = await response.text();
        return new Response(text.slice(0, Math.floor(text.length / 2)), response);
      });
    },
    corrupt(
      match,
      body,
      { contentType = 'application/json', status = 200, headers = {} } = {},
      times,
    ) {
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
    transform(match, change, times) {
      addRule(match, times, async (_request, next) => {
        const response = await next();
        return new Response(JSON.stringify(change(await response.json())), response);
      });
    },

    rewrite(match, change, times) {
      addRule(match, times, async (_request, next) => {
        const response = await next();
        return new Response(change(await response.text()), response);
      });
    },
    respondAs(version, match = '', times) {
      addRule(match, times, async (_request, next) => {
        const response = await next();
        return new Response(JSON.stringify(toVersion(version, await response.json())), response);
      });
    },

    data(apiKey) {
      const { calls, attempts, assistants, campaigns, rows } = sandbox.organizationOf(apiKey);
      return { calls, attempts, assistants, campaigns, rows };
    },
    insertAttempts(
      apiKey,
      { at, count = 1, items = Array.from({ length: count }, () => ({})), status = 'completed' },
    ) {
      const organization = sandbox.organizationOf(apiKey);
      // The same age as the attempt that follows it, so that the list stays sorted; at the top, the
      // newest possible age.
      const neighbour =
        at === 0 ? undefined : (organization.attempts[at] ?? organization.attempts.at(-1));
      const startedAt =
        neighbour?.started_at == null ? sandbox.now() : Date.parse(neighbour.started_at);
      const attempts = items.map((item) => {
        const { call, attempt } = generateInsertedCall(
          seed,
          organization,
          inserted++,
          startedAt,
          status,
        );
        Object.assign(attempt, item);
        organization.calls.push(call);
        organization.orderOf.set(attempt.id, call);
        return attempt;
      });
      organization.attempts.splice(at, 0, ...attempts);
      return attempts;
    },
    removeAttempts(apiKey, ids) {
      removeAttempts(sandbox.organizationOf(apiKey), new Set(ids));
    },
    insertRows(
      apiKey,
      campaignId,
      { at, count = 1, items = Array.from({ length: count }, () => ({})) },
    ) {
      const organization = sandbox.organizationOf(apiKey);
      const rows = rowsOf(organization, campaignId);
      const nextIndex = Math.max(-1, ...rows.map((row) => row.row_index)) + 1;
      const added = items.map((item, offset) => ({
        ...generateInsertedRow(seed, organization, inserted++, nextIndex + offset),
        ...item,
      }));
      rows.splice(at, 0, ...added);
      return added;
    },
    removeRows(apiKey, campaignId, ids) {
      const rows = rowsOf(sandbox.organizationOf(apiKey), campaignId);
      rows.splice(0, rows.length, ...rows.filter((row) => !ids.includes(row.id)));
    },
    putCall(apiKey, call) {
      putCall(sandbox.organizationOf(apiKey), call);
    },
    removeCall(apiKey, id) {
      removeCalls(sandbox.organizationOf(apiKey), new Set([id]));
    },
  };
}

function rowsOf(organization: Organization, campaignId: string): CampaignRow[] {
  const rows = organization.rows[campaignId];
  if (rows === undefined)
    throw new Error(`No such campaign in ${organization.name}: ${campaignId}`);
  return rows;
}
