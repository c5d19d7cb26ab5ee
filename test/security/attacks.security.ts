import { writeFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { type MeasuredAttack, readTable, toTable, withTable } from './attack-table.ts';
import { startAttackedGateway } from './attacked-gateway.ts';
import { loadAttacks } from './attacks.ts';
import { mean, probe, quantile } from './latency-probe.ts';

const NEIGHBOUR = 'sk_demo_b';
const QUIET_MS = 1_000;
const ATTACK_MS = 3_000;

/**
 * Maximum latencies of another tenant and of a load balancer during an attack, in ms, less those of
 * an idle server at the same time: attacker, upstream and gateway share two cores. A mean, not a
 * median: where an operation occupies the process half of the time, the median is either that of a
 * free process or that of a busy one.
 */
const MAX_MS = { mean: 40, p99: 200, health: 200, slowestHealth: 1_000 };

const named = await loadAttacks();
const measured: MeasuredAttack[] = [];

describe.each(named.map((one) => [one.attack.name, one] as const))(
  '%s',
  (_name, { id, attack }) => {
    test('the attack has the expected outcome and leaves the process and the other tenant responsive', async () => {
      await using gateway = await startAttackedGateway({ id, attack }, NEIGHBOUR);
      const probeFor = (signal: AbortSignal) =>
        probe({ ...gateway, key: NEIGHBOUR, headers: attack.headers, signal });
      const quiet = await probeFor(AbortSignal.timeout(QUIET_MS));

      const over = new AbortController();
      const attacked = gateway.attack(ATTACK_MS).finally(() => over.abort());
      const [observed, experience] = await Promise.all([attacked, probeFor(over.signal)]).catch(
        (cause: unknown) => {
          throw new Error(
            `The attack got no response. ${gateway.ending() ?? 'The process is running.'}`,
            { cause },
          );
        },
      );
      const upstreamRequests = await gateway.upstreamRequests();
      const row = {
        attack,
        observed,
        upstreamRequests,
        quietMedian: quantile(quiet.neighbour, 0.5),
        median: quantile(experience.neighbour, 0.5),
        p99: quantile(experience.neighbour, 0.99),
        health: quantile(experience.health, 0.99),
        slowestHealth: quantile(experience.health, 1),
        peakMebibytes: gateway.peakMebibytes(),
      };
      measured.push(row);

      expect(gateway.ending()).toBeUndefined();
      expect(gateway.unexpectedErrors()).toEqual([]);
      expect(Object.keys(observed.outcomes)).not.toEqual([]);
      expect(attack.outcomes).toEqual(expect.arrayContaining(Object.keys(observed.outcomes)));
      expect(upstreamRequests).toBeLessThanOrEqual(
        attack.maxUpstreamRequests?.(observed) ?? Number.POSITIVE_INFINITY,
      );
      const waits = {
        mean: mean(experience.neighbour) - mean(experience.control),
        p99: row.p99 - quantile(experience.control, 0.99),
        health: row.health - quantile(experience.control, 0.99),
        slowestHealth: row.slowestHealth - quantile(experience.control, 1),
      };
      for (const name of ['mean', 'p99', 'health', 'slowestHealth'] as const) {
        expect
          .soft(waits[name], `${name}, in ms beyond the control server`)
          .toBeLessThan(MAX_MS[name]);
      }
    });
  },
);

test('the table of docs/reference/security-checklist.md names every attack and its bound', () => {
  expect(readTable()).toEqual(named.map(({ attack: { name, bound } }) => ({ name, bound })));
});

afterAll(() => {
  console.log(toTable(measured));
  // Figures differ between runs, so the page changes only on request.
  if (process.env.WRITE_TABLE === 'on' && measured.length === named.length) {
    const { path, text } = withTable(measured);
    writeFileSync(path, text);
  }
});
