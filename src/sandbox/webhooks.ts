import { type ArgumentRule, checkOptions, FLAG, FUNCTION, wholeNumber } from '#check-arguments.ts';
import type { CallAttempt } from '#sandbox/api/wire.ts';
import { type CallScript, endOf } from '#sandbox/data/call-script.ts';
import type { Organization } from '#sandbox/data/organization.ts';
import { toId } from '#sandbox/data/random.ts';
import type { StartTimer } from './faults.ts';

/**
 * How the sandbox sends webhooks. Revox documents that a webhook is sent when a call is completed,
 * and neither its body nor retries: so the sandbox sends what integrations read, once.
 */
export interface WebhookOptions {
  /** Sends a webhook. Its response and its failure change nothing. Default: the global `fetch`. */
  fetch?: (request: Request) => Promise<Response>;
  /** Delay after the end of the call, in milliseconds. Default 0. */
  delayMs?: number;
  /** How often each webhook is sent, at the same moment; 0 sends none. Default 1. */
  copies?: number;
  /** Replaces the ids by ids that no call has, as an attacker with the URL can. Default false. */
  forgesIds?: boolean;
}

/** Sends a webhook for each call that ends. */
export interface Webhooks {
  /**
   * Called after each change of the data.
   * @param ended the calls that have ended since the last time
   */
  onAdvanced(organization: Organization, ended: readonly CallScript[]): void;
}

interface WebhookSenderOptions {
  readonly seed: number;
  readonly now: () => number;
  readonly startTimer: StartTimer;
  /** Whether new calls arrive by themselves. */
  readonly isLive: boolean;
  /** Updates the data of the organization, and calls `onAdvanced`. */
  readonly advance: (organization: Organization) => void;
}

/**
 * The longest time without an update of live data, in ms. A new call waits longer than that before
 * it is dialled, so an update always precedes its end.
 */
const MAX_WAIT_MS = 5_000;

/** Node.js calls a longer timer back at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

const OPTIONS: { readonly [Name in keyof Required<WebhookOptions>]: ArgumentRule } = {
  fetch: FUNCTION,
  delayMs: wholeNumber(0),
  copies: wholeNumber(0),
  forgesIds: FLAG,
};

/** @throws TypeError for an unknown or a wrong option */
export function createWebhooks(
  options: WebhookOptions,
  { seed, now, startTimer, isLive, advance }: WebhookSenderOptions,
): Webhooks {
  checkOptions('the option `webhooks` of createSandbox', options, OPTIONS);
  const { fetch: send = fetch, delayMs = 0, copies = 1, forgesIds = false } = options;
  const timers = new Map<Organization, () => void>();
  let forged = 0;

  function announce(script: CallScript): void {
    const url = script.call.assistant?.webhook_url;
    if (url == null) return;
    const body = JSON.stringify({ ...toBody(script), ...(forgesIds && forgeIds()) });
    const headers = { 'content-type': 'application/json' };
    // Also what throws at once is a failure that changes nothing: a wrong URL, for example.
    const sendOnce = async () =>
      (await send(new Request(url, { method: 'POST', headers, body }))).body?.cancel();
    const post = () => {
      for (let copy = 0; copy < copies; copy++) sendOnce().catch(() => {});
    };
    if (delayMs === 0) post();
    else startTimer(post, delayMs);
  }

  function forgeIds(): object {
    forged++;
    return {
      call_order_id: toId(seed, 'forged-call', forged),
      call_id: toId(seed, 'forged-attempt', forged),
    };
  }

  return {
    onAdvanced(organization, ended) {
      for (const script of ended) announce(script);
      timers.get(organization)?.();
      timers.delete(organization);
      const ends = [...organization.startedScripts, ...(isLive ? organization.scripts : [])];
      const waitMs = Math.min(
        isLive ? MAX_WAIT_MS : Number.POSITIVE_INFINITY,
        ...ends.map((script) => Math.max(1, endOf(script) - now())),
      );
      if (waitMs !== Number.POSITIVE_INFINITY)
        timers.set(
          organization,
          startTimer(() => advance(organization), Math.min(waitMs, MAX_TIMER_MS)),
        );
    },
  };
}

/** The properties that integrations read: the transcript is one text, and `annotation` is added. */
function toBody({ call, attempt }: CallScript): object {
  return {
    call_order_id: call.id,
    call_id: attempt.id,
    status: attempt.status,
    result: attempt.result,
    annotation: attempt.end_reason ?? null,
    transcript: toText(attempt.transcript),
    recording_url: attempt.recording_url,
    started_at: attempt.started_at,
    ended_at: attempt.ended_at,
    calls_count: call.calls_count,
  };
}

function toText(transcript: CallAttempt['transcript']): string {
  return (transcript ?? []).map(({ role, content }) => `${role}: ${content}`).join('\n');
}
