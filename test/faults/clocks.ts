import type { FaultyResponder } from '../support/faulty-upstream.ts';
import { type Fault, type FaultGroup, responseFault } from './fault.ts';
import { json } from './faulty-responses.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** An ended call is cached for a minute, but not within the first five minutes after its end. */
const settings = {
  FRESHNESS_ENDED_CALL_MS: String(MINUTE_MS),
  FRESHNESS_JUST_ENDED_CALL_MS: '0',
  FRESHNESS_SETTLING_CALL_MS: String(5 * MINUTE_MS),
};

/** Only ended calls are cached. The gateway compares their end with the clock of the upstream. */
export const clocks: FaultGroup = {
  title: 'Clocks',
  faults: [
    clock('is an hour slow; by this clock the call ended a minute ago', -HOUR_MS, {
      endedAgoMs: MINUTE_MS,
      isCached: false,
    }),
    clock('is an hour slow; by this clock the call ended ten minutes ago', -HOUR_MS, {
      endedAgoMs: 10 * MINUTE_MS,
      isCached: true,
    }),
    clock('is an hour fast; by this clock the call ended a minute ago', HOUR_MS, {
      endedAgoMs: MINUTE_MS,
      isCached: false,
    }),
    clock('is an hour fast; by this clock the call ended ten minutes ago', HOUR_MS, {
      endedAgoMs: 10 * MINUTE_MS,
      isCached: true,
    }),
    clock('is an hour fast; the call has not ended', HOUR_MS, { isCached: false }),
    clock(
      'is ten years fast; by the gateway’s clock the call ended ten minutes ago',
      87_600 * HOUR_MS,
      {
        skewMs: 0,
        endedAgoMs: 10 * MINUTE_MS,
        isCached: true,
      },
    ),
    clock(
      'is unknown (no `Date` header); by the gateway’s clock the call ended ten minutes ago',
      undefined,
      {
        skewMs: 0,
        endedAgoMs: 10 * MINUTE_MS,
        isCached: true,
      },
    ),
    clock(
      'is unknown (no `Date` header); by the gateway’s clock the call ended a minute ago',
      undefined,
      {
        skewMs: 0,
        endedAgoMs: MINUTE_MS,
        isCached: false,
      },
    ),
  ],
};

interface ClockCase {
  /** Skew of the times in the body; absent: the skew of `Date`. */
  readonly skewMs?: number;
  /** Absent: the call has not ended. */
  readonly endedAgoMs?: number;
  readonly isCached: boolean;
}

function clock(
  name: string,
  dateSkewMs: number | undefined,
  { skewMs = dateSkewMs ?? 0, endedAgoMs, isCached }: ClockCase,
): Fault {
  const remark = isCached ? 'cached' : 'fetched again by the next operation';
  return responseFault(`has a clock that ${name}`, respond(), {
    outcome: 'value',
    settings,
    again: isCached ? 0 : 1,
    remark,
  });

  function respond(): FaultyResponder {
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
