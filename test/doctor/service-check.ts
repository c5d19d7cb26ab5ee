import { expect } from 'vitest';
import type { Finding } from '#doctor/finding.ts';
import type { ServiceClock } from '#doctor/services/service-clock.ts';
import { createManualTimers } from '../rest/real-server.ts';

/** The time of this machine in the tests. */
export const NOW = Date.UTC(2026, 0, 1);

/** A clock that stands still, so that latencies are 0, with timers that fire when the test says so. */
export function createServiceClock() {
  const timers = createManualTimers();
  const clock: ServiceClock = {
    now: () => NOW,
    monotonicNow: () => 0,
    startTimer: timers.startTimer,
  };
  return { clock, timers };
}

/** A `Date` header that differs from `NOW`. */
export function dateHeader(differenceMs: number): { readonly date: string } {
  return { date: new Date(NOW + differenceMs).toUTCString() };
}

/** The findings as lines, after a check that none of them contains `secret`. */
export function toLines(findings: readonly Finding[]): string[] {
  expect(JSON.stringify(findings)).not.toContain('secret');
  return findings.map(({ check, verdict, message }) => `${verdict} ${check}: ${message}`);
}
