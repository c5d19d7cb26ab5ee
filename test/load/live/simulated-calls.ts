/** How the calls of a simulation go. Times are in ms. */
export const CALLS = {
  /** On average, exponentially distributed. */
  queueMs: 20_000,
  /** At least, and at most. */
  ringMs: [5_000, 25_000],
  /** On average, exponentially distributed. */
  talkMs: 90_000,
  /** Share of the calls whose first attempt is not answered, and the time until the second one. */
  retries: 0.1,
  retryDelayMs: 120_000,
  /** From the end of a call to its webhook. */
  webhookMs: 500,
} as const;

/** The state of a call from a moment on, as the API spells it. */
interface Phase {
  readonly from: number;
  /** The body of a response. Each one is a new object, as if it were parsed. */
  readonly toValue: () => object;
  /** Whether the rows that wait or are in progress contain the call. */
  readonly isListed: boolean;
}

export interface SimulatedCall {
  readonly id: string;
  readonly credential: number;
  /** Undefined: the call belongs to no campaign. */
  readonly campaign: SimulatedCampaign | undefined;
  readonly endAt: number;
  readonly phases: readonly Phase[];
}

export interface SimulatedCampaign {
  readonly id: string;
  readonly calls: Set<SimulatedCall>;
}

export interface CallOwner {
  readonly credential: number;
  readonly campaign: SimulatedCampaign | undefined;
}

/**
 * A call that is ordered now.
 * @param elapsed the share of the call that is over already
 */
export function createCall(
  id: string,
  { credential, campaign }: CallOwner,
  { now, random, elapsed }: { now: number; random: () => number; elapsed: number },
): SimulatedCall {
  const exponential = (mean: number) => Math.round(-Math.log(1 - random()) * mean);
  const [minRingMs, maxRingMs] = CALLS.ringMs;
  const ring = () => Math.round(minRingMs + (maxRingMs - minRingMs) * random());
  const isRetried = random() < CALLS.retries;
  const queueMs = exponential(CALLS.queueMs);
  const failedMs = isRetried ? ring() : 0;
  const waitMs = isRetried ? CALLS.retryDelayMs : 0;
  const ringMs = ring();
  const talkMs = exponential(CALLS.talkMs);
  const orderedAt = now - Math.round(elapsed * (queueMs + failedMs + waitMs + ringMs + talkMs));

  const assistantId = `assistant of ${campaign?.id ?? credential}`;
  const toText = (at: number) => new Date(at).toISOString();
  const toCall = (status: string, attempts: readonly object[], scheduledAt?: number) => ({
    id,
    status,
    direction: 'outbound',
    assistant: { id: assistantId, name: 'Assistant' },
    campaign: campaign ? { id: campaign.id, name: 'Campaign' } : null,
    created_at: toText(orderedAt),
    scheduled_at: scheduledAt === undefined ? null : toText(scheduledAt),
    calls_count: attempts.length,
    call_attempts: attempts,
    last_call_attempt: attempts[0] ?? null,
  });
  const toAttempt = (index: number, status: string, startedAt: number, endedAt?: number) => ({
    id: `${id}-${index}`,
    status,
    started_at: toText(startedAt),
    ended_at: endedAt === undefined ? null : toText(endedAt),
  });

  const phases: Phase[] = [];
  const add = (from: number, isListed: boolean, toValue: () => object) =>
    phases.push({ from, isListed, toValue });
  let at = orderedAt;
  add(at, true, () => toCall('queued_for_calling', []));
  at += queueMs;
  const [failedAt, failedEndAt] = [at, at + failedMs];
  const toEarlier = () => (isRetried ? [toAttempt(0, 'error', failedAt, failedEndAt)] : []);
  if (isRetried) {
    add(at, true, () => toCall('calling', [toAttempt(0, 'ringing', failedAt)]));
    add(failedEndAt, false, () => toCall('scheduled', toEarlier(), failedEndAt + waitMs));
    at = failedEndAt + waitMs;
  }
  const startedAt = at;
  const toLast = (status: string, endedAt?: number) => [
    toAttempt(1, status, startedAt, endedAt),
    ...toEarlier(),
  ];
  add(at, true, () => toCall('calling', toLast('ringing')));
  at += ringMs;
  add(at, true, () => toCall('calling', toLast('ongoing')));
  at += talkMs;
  const endAt = at;
  add(at, false, () => toCall('completed', toLast('completed', endAt)));
  return { id, credential, campaign, endAt, phases };
}

export function durationOf({ endAt, phases }: SimulatedCall): number {
  return endAt - (phases[0]?.from ?? endAt);
}

/** The state of a call at a moment. */
export function phaseAt({ phases }: SimulatedCall, at: number): Phase {
  const phase = phases.findLast(({ from }) => from <= at) ?? phases[0];
  if (!phase) throw new Error('A call has a first phase.');
  return phase;
}
