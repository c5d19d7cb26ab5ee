import type { FaultyResponder } from '../support/faulty-upstream.ts';
import { type Fault, type FaultGroup, responseFault } from './fault.ts';
import { json } from './faulty-responses.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** What ended a while ago is remembered for a minute, and what just ended is not: five minutes later it has ended a while ago. */
const settings = {
  FRESHNESS_ENDED_CALL_MS: String(MINUTE_MS),
  FRESHNESS_JUST_ENDED_CALL_MS: '0',
  FRESHNESS_SETTLING_CALL_MS: String(5 * MINUTE_MS),
};

/** Calls that have ended are remembered, others are not: that is told by the clock that wrote down their end. */
export const clocks: FaultGroup = {
  title: 'Clocks',
  faults: [
    clock('is an hour behind; the call ended a minute ago by it', -HOUR_MS, {
      endedAgoMs: MINUTE_MS,
      isKept: false,
    }),
    clock('is an hour behind; the call ended ten minutes ago by it', -HOUR_MS, {
      endedAgoMs: 10 * MINUTE_MS,
      isKept: true,
    }),
    clock('is an hour ahead; the call ended a minute ago by it', HOUR_MS, {
      endedAgoMs: MINUTE_MS,
      isKept: false,
    }),
    clock('is an hour ahead; the call ended ten minutes ago by it', HOUR_MS, {
      endedAgoMs: 10 * MINUTE_MS,
      isKept: true,
    }),
    clock('is an hour ahead; the call is still going on', HOUR_MS, { isKept: false }),
    clock('is ten years ahead; the call ended ten minutes ago by ours', 87_600 * HOUR_MS, {
      skewMs: 0,
      endedAgoMs: 10 * MINUTE_MS,
      isKept: true,
    }),
    clock('is not told; the call ended ten minutes ago by ours', undefined, {
      skewMs: 0,
      endedAgoMs: 10 * MINUTE_MS,
      isKept: true,
    }),
    clock('is not told; the call ended a minute ago by ours', undefined, {
      skewMs: 0,
      endedAgoMs: MINUTE_MS,
      isKept: false,
    }),
  ],
};

interface ClockCase {
  /** Of the moments in the answer; absent: that of `Date`. */
  readonly skewMs?: number;
  /** Absent: it has not ended. */
  readonly endedAgoMs?: number;
  readonly isKept: boolean;
}

function clock(
  name: string,
  dateSkewMs: number | undefined,
  { skewMs = dateSkewMs ?? 0, endedAgoMs, isKept }: ClockCase,
): Fault {
  const remark = isKept ? 'remembered' : 'asked for again the next time';
  return responseFault(`has a clock that ${name}`, tell(), {
    outcome: 'its value',
    settings,
    again: isKept ? 0 : 1,
    remark,
  });

  function tell(): FaultyResponder {
    return (exchange) => {
      const { response } = exchange;
      if (dateSkewMs === undefined) response.sendDate = false;
      else response.setHeader('date', new Date(Date.now() + dateSkewMs).toUTCString());
      const endedAt =
        endedAgoMs === undefined ? null : new Date(Date.now() + skewMs - endedAgoMs).toISOString();
      return json(({ call }) => {
        for (const attempt of [...call.call_attempts, call.last_call_attempt]) {
          attempt.ended_at = endedAt;
          if (endedAt === null) attempt.status = 'ongoing';
        }
        return { call };
      })(exchange);
    };
  }
}
