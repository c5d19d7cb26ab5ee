import type { Milestone } from './live-source.ts';
import type { Watch } from './watch.ts';

/**
 * Whether the latest reading of an object has reached a milestone. An object has settled when it
 * ended long enough ago, by the upstream's clock. An object without a readable end settles after the
 * gateway has seen it to be over for that long.
 * @param now monotonic time, in ms
 */
export function hasReached(
  { reading, overSince = Number.POSITIVE_INFINITY }: Pick<Watch, 'reading' | 'overSince'>,
  until: Milestone,
  settlingMs: number,
  now: number,
): boolean {
  if (!reading?.state.isOver) return false;
  const { state, upstreamNow } = reading;
  if (until === 'ENDED' || !state.settles) return true;
  return state.endedAt === undefined
    ? now - overSince >= settlingMs
    : upstreamNow - state.endedAt >= settlingMs;
}
