import {
  type ArgumentRule,
  checkArgument,
  checkOptions,
  isObject,
  TEXT,
  wholeNumber,
} from '#check-arguments.ts';
import type {
  Assistant,
  Call,
  CallAttempt,
  CallStatus,
  Campaign,
  CampaignRow,
} from '#sandbox/api/wire.ts';
import { endScript } from '#sandbox/data/call-script.ts';
import type { CallTimes } from '#sandbox/data/generate-insertions.ts';
import {
  generateInsertedCall,
  generateInsertedRow,
  generateStartedCall,
} from '#sandbox/data/generate-insertions.ts';
import type { Organization } from '#sandbox/data/organization.ts';
import { putCall, removeAttempts, removeCalls } from '#sandbox/data/organization.ts';
import { createFaultControl, type FaultControl } from './fault-control.ts';
import type { Faults, StartTimer } from './faults.ts';
import type { RequestCounters } from './request-counters.ts';

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

/** Controls the sandbox from tests. */
export interface SandboxControl extends RequestCounters, FaultControl {
  /** The data of the organization with this key. */
  data(apiKey: string): SandboxData;
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
  /**
   * Adds a call, or replaces the one with its id everywhere: lookup, list, rows. A changed call is
   * `{ ...data(apiKey).calls[0], status: 'failed' }`.
   */
  putCall(apiKey: string, call: Call): void;
  /**
   * Adds a call on a script: it is queued now, rings, is answered, and ends, by the sandbox's clock.
   * Returns its id. The defaults are 5 s in the queue, 5 s of ringing and 20 s of talking.
   */
  startCall(apiKey: string, times?: Partial<CallTimes>): string;
  /**
   * Ends a call now, with `no_answer` if it was not answered yet. Returns whether the call was in
   * progress.
   */
  endCall(apiKey: string, id: string): boolean;
  /** Removes a call with its attempts; its row remains, without a call. */
  removeCall(apiKey: string, id: string): void;
}

const CALL: ArgumentRule = {
  expected: 'a whole call, such as one of `data(apiKey).calls` with changes',
  accepts: (value) =>
    isObject(value) && typeof value.id === 'string' && Array.isArray(value.call_attempts),
};

const DURATION: ArgumentRule = {
  expected: 'milliseconds, 0 or more',
  accepts: (value) => typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY,
};
const POSITION = wholeNumber(0);
const INSERTED_ROWS = {
  at: POSITION,
  count: wholeNumber(0),
  items: {
    expected: 'an array of objects',
    accepts: (value: unknown) => Array.isArray(value) && value.every(isObject),
  },
};
const INSERTED_ATTEMPTS = { ...INSERTED_ROWS, status: TEXT };
const CALL_TIMES = { queueMs: DURATION, ringMs: DURATION, talkMs: DURATION };

/** The parts of a sandbox that its control uses. */
export interface ControlledSandbox extends RequestCounters {
  readonly seed: number;
  readonly basePath: string;
  readonly faults: Faults;
  readonly startTimer: StartTimer;
  now(): number;
  organizationOf(apiKey: string): Organization;
}

function toEmptyItems(count: number): readonly object[] {
  return Array.from({ length: count }, () => ({}));
}

/** Creates the control of a sandbox. */
export function createControl(sandbox: ControlledSandbox): SandboxControl {
  const { faults, seed } = sandbox;
  let inserted = 0;

  return {
    ...createFaultControl(faults, sandbox.startTimer, sandbox.basePath),
    clearLog: sandbox.clearLog,
    requestCounts: sandbox.requestCounts,
    inFlight: sandbox.inFlight,
    maxInFlight: sandbox.maxInFlight,
    data(apiKey) {
      const { calls, attempts, assistants, campaigns, rows } = sandbox.organizationOf(apiKey);
      return { calls, attempts, assistants, campaigns, rows };
    },
    insertAttempts(apiKey, insertion) {
      checkOptions('`insertAttempts`', insertion, INSERTED_ATTEMPTS);
      const { at, count = 1, items = toEmptyItems(count), status = 'completed' } = insertion;
      checkArgument('The option `at` of `insertAttempts`', at, POSITION);
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
    insertRows(apiKey, campaignId, insertion) {
      checkOptions('`insertRows`', insertion, INSERTED_ROWS);
      const { at, count = 1, items = toEmptyItems(count) } = insertion;
      checkArgument('The option `at` of `insertRows`', at, POSITION);
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
      checkArgument('The call of putCall', call, CALL);
      putCall(sandbox.organizationOf(apiKey), call);
    },
    startCall(apiKey, options = {}) {
      checkOptions('`startCall`', options, CALL_TIMES);
      const { queueMs = 5_000, ringMs = 5_000, talkMs = 20_000 } = options;
      const organization = sandbox.organizationOf(apiKey);
      const times = { queueMs, ringMs, talkMs };
      const now = sandbox.now();
      const script = generateStartedCall(seed, organization, inserted++, now, times);
      organization.calls.push(script.call);
      organization.startedScripts.push(script);
      // Its end is known now, which may be the next event.
      sandbox.organizationOf(apiKey);
      return script.call.id;
    },
    endCall(apiKey, id) {
      const organization = sandbox.organizationOf(apiKey);
      for (const scripts of [organization.scripts, organization.startedScripts]) {
        const index = scripts.findIndex(({ call }) => call.id === id);
        const script = scripts[index];
        if (!script || script.stage === 'waiting') continue;
        scripts[index] = endScript(script, sandbox.now());
        sandbox.organizationOf(apiKey);
        return true;
      }
      return false;
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
