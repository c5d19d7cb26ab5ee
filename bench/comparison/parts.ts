/** The parts of the comparison, and the figures that this gateway should reach in each. */
import { kinds, type OperationName } from '../fixture/operations.ts';
import { median } from '../harness/median.ts';
import type { UpstreamProcess } from '../harness/start.ts';
import * as targets from '../targets.ts';
import { measureCompression } from './compression.ts';
import { atMost, below, type Goal, ratios } from './goals.ts';
import { measureIdle, toIdleTable } from './idle.ts';
import { measureLatency, toLatencyTable } from './latency.ts';
import { measureRequests, toRequestsTable } from './requests.ts';
import type { Scale } from './scale.ts';
import { measureStartup, toStartupTable } from './startup.ts';
import { measureSteady } from './steady.ts';
import { measurementOf, ratiosTo, ratiosToReference, toSteadyReport } from './steady-report.ts';

export interface PartReport {
  readonly text: string;
  readonly goals: readonly Goal[];
}

export type Part = (upstream: UpstreamProcess, scale: Scale) => Promise<PartReport>;

/** Q4 needs no upstream. */
const UPSTREAM_KINDS = kinds.filter(({ name }) => name !== 'Q4');

/** In the order of the page. */
export const parts: Readonly<Record<string, Part>> = {
  async uncached(upstream, scale) {
    const { safeFloor, rawLimit, thisGatewayUncached, mercurius } = targets;
    const measured = await measureSteady(
      [safeFloor, rawLimit, thisGatewayUncached, mercurius],
      UPSTREAM_KINDS,
      upstream,
      scale,
    );
    const own = measurementOf(measured, thisGatewayUncached);
    const peer = measurementOf(measured, mercurius);
    const floorGoal = (name: OperationName, limit: number) =>
      atMost(`${name} uncached / ${safeFloor.name}`, limit, ratiosToReference(own, name));
    const peerGoal = (name: OperationName, limit: number) =>
      atMost(`${name} uncached / ${mercurius.name}`, limit, ratiosTo(own, peer, name));
    return {
      text: toSteadyReport(measured, UPSTREAM_KINDS, scale),
      goals: [
        floorGoal('Q1', 1.4),
        peerGoal('Q1', 1.1),
        floorGoal('Q2', 1.25),
        peerGoal('Q2', 1),
        floorGoal('Q3', 1.5),
        peerGoal('Q3', 1),
      ],
    };
  },

  async cached(upstream, scale) {
    const { rawLimit, thisGateway, mercuriusCached, apolloCached } = targets;
    const measured = await measureSteady(
      [rawLimit, thisGateway, mercuriusCached, apolloCached],
      kinds,
      upstream,
      scale,
    );
    const own = measurementOf(measured, thisGateway);
    const peer = measurementOf(measured, mercuriusCached);
    return {
      text: toSteadyReport(measured, kinds, scale),
      goals: [
        ...UPSTREAM_KINDS.map(({ name }) =>
          below(`${name} warm / ${mercuriusCached.name}`, 1, ratiosTo(own, peer, name)),
        ),
        atMost(`\`__typename\` / ${rawLimit.name}`, 1.7, ratiosToReference(own, 'Q4')),
      ],
    };
  },

  async others(upstream, scale) {
    const { safeFloor, yoga, apollo } = targets;
    const measured = await measureSteady(
      [safeFloor, yoga, apollo],
      UPSTREAM_KINDS,
      upstream,
      scale,
    );
    return { text: toSteadyReport(measured, UPSTREAM_KINDS, scale), goals: [] };
  },

  async idle(upstream, scale) {
    const { thisGateway, thisGatewayUncached, mercurius, mercuriusCached } = targets;
    const measured = await measureIdle(
      [thisGatewayUncached, thisGateway, mercurius, mercuriusCached],
      upstream,
      scale,
    );
    const processesOf = (target: targets.Target) =>
      measured.filter((process) => process.target === target);
    const burstGoal = (name: string, target: targets.Target) =>
      atMost(
        `first burst after ${scale.idleMs / 1_000} s idle / steady, ${name}`,
        2.5,
        processesOf(target).map(({ steadyUs, burstsUs: [first = Number.NaN] }) => first / steadyUs),
      );
    const quietMs = (target: targets.Target) => processesOf(target).map((one) => one.quietMs);
    return {
      text: toIdleTable(measured, scale),
      goals: [
        burstGoal('Q1 uncached', thisGatewayUncached),
        burstGoal('Q1 warm', thisGateway),
        atMost(
          `idle processor time / ${mercuriusCached.name}`,
          2,
          ratios(quietMs(thisGateway), quietMs(mercuriusCached)),
        ),
      ],
    };
  },

  async latency(upstream, scale) {
    const { safeFloor, thisGateway, thisGatewayUncached, mercurius, mercuriusCached } = targets;
    const measured = await measureLatency(
      [safeFloor, thisGateway, mercuriusCached, thisGatewayUncached, mercurius],
      upstream,
      scale,
    );
    const coldMs = (target: targets.Target) =>
      median(measured.find((one) => one.target === target)?.cold ?? []);
    return {
      text: toLatencyTable(measured, scale),
      goals: [
        atMost(`cold, above the upstream, p50 / ${mercuriusCached.name}`, 1, [
          coldMs(thisGateway) / coldMs(mercuriusCached),
        ]),
        atMost(`cold, above the upstream, p50, all freshness 0 / ${mercurius.name}`, 1, [
          coldMs(thisGatewayUncached) / coldMs(mercurius),
        ]),
      ],
    };
  },

  async startup(upstream, scale) {
    const measured = await measureStartup(upstream, scale);
    return {
      text: toStartupTable(measured, scale),
      goals: measured
        .filter(({ isGoal }) => isGoal)
        .map(({ name, readyMs }) =>
          atMost(
            `ready: ${name}`,
            1,
            readyMs.map((ms) => ms / 1_000),
            { unit: ' s' },
          ),
        ),
    };
  },

  async requests(upstream) {
    const { thisGateway, thisGatewayUncached, mercurius, mercuriusCached, yoga } = targets;
    const { apollo, apolloCached } = targets;
    const measured = await measureRequests(
      [thisGateway, mercuriusCached, apolloCached, thisGatewayUncached, mercurius, apollo, yoga],
      upstream,
    );
    const of = (target: targets.Target) => measured.find((one) => one.target === target);
    const goal = (figure: string, limit: number, requests: readonly number[] = []) =>
      atMost(`upstream requests of ${figure}`, limit, requests, { digits: 0 });
    return {
      text: toRequestsTable(measured),
      goals: [
        goal('a first Q3', 21, of(thisGateway)?.first),
        goal('a repeated Q3', 0, of(thisGateway)?.repeated),
        goal('32 × Q3 at once', 21, of(thisGateway)?.concurrent),
        goal('32 × Q3 at once, all freshness 0', 41, of(thisGatewayUncached)?.concurrent),
      ],
    };
  },

  async compression(upstream, scale) {
    return { text: await measureCompression(upstream, scale), goals: [] };
  },
};
