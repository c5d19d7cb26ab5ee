import {
  compareResponse,
  createShapeReport,
  type ShapeReport,
} from '#doctor/contract/compare-shape.ts';
import type { Finding } from '#doctor/finding.ts';
import {
  describeProblem,
  isUsable,
  type Probe,
  toEndpoint,
} from '#doctor/upstream/probe-client.ts';
import { wireResponses } from '#generated/wire-shapes.ts';
import { plural } from '#plural.ts';
import { unwrap } from './endpoints.ts';

/** Names in a message; `--json` has all of them. */
const MAX_NAMES = 5;

/**
 * Compares every response of the run with the contract: one finding for each endpoint, one for the
 * fields that drift, one for keys that the contract lacks, and one for enum values that the schema
 * does not know.
 */
export function checkContract(probes: readonly Probe[]): Finding[] {
  const total = createShapeReport();
  const findings = Object.keys(wireResponses).map((endpoint) => {
    const ofEndpoint = probes.filter(({ path }) => toEndpoint(path) === endpoint);
    return checkEndpoint(endpoint, ofEndpoint, total);
  });
  return [...findings, toDrift(total), toUnknownKeys(total), toUnknownValues(total)];
}

function checkEndpoint(endpoint: string, probes: readonly Probe[], total: ShapeReport): Finding {
  const check = 'contract';
  const usable = probes.filter(isUsable);
  const [probe] = probes;
  if (!probe)
    return {
      check,
      verdict: 'unknown',
      message: `GET ${endpoint} was not read: no id for it was found.`,
      details: { endpoint },
    };
  if (usable.length === 0)
    return {
      check,
      verdict: 'finding',
      message: `GET ${endpoint} cannot be read: ${describeProblem(probe)}.`,
      details: { endpoint, status: probe.status ?? 0 },
    };
  const drift = new Map<string, number>();
  for (const { json } of usable) {
    const body = endpoint === '/assistants/{id}' ? unwrap(json) : json;
    compareResponse(endpoint, body, { ...total, drift });
  }
  for (const [name, count] of drift) total.drift.set(name, (total.drift.get(name) ?? 0) + count);
  return {
    check,
    // The finding is the drift itself, which several endpoints may share.
    verdict: drift.size === 0 ? 'ok' : 'note',
    message:
      drift.size === 0
        ? `GET ${endpoint} matches the contract.`
        : `GET ${endpoint} differs from the contract in ${plural(drift.size, 'field')}.`,
    details: { endpoint, drift: [...drift.keys()].sort() },
  };
}

function toDrift({ drift }: ShapeReport): Finding {
  const check = 'drift';
  const names = [...drift.keys()].sort();
  if (names.length === 0)
    return { check, verdict: 'ok', message: 'No field of the responses drifts from the contract.' };
  const isHarmless = names.every((name) => /(derived|coerced)$/.test(name));
  return {
    check,
    verdict: isHarmless ? 'note' : 'finding',
    message: `${plural(names.length, 'field')} ${names.length === 1 ? 'drifts' : 'drift'} from the contract${isHarmless ? ', and the gateway converts them' : ''}: ${enumerate(names)}.`,
    details: { fields: names, counts: names.map((name) => `${name} ${drift.get(name)}`) },
  };
}

function toUnknownKeys({ unknownKeys }: ShapeReport): Finding {
  const check = 'unknown-keys';
  const keys = [...unknownKeys].sort();
  if (keys.length === 0)
    return { check, verdict: 'ok', message: 'The contract has every key of the responses.' };
  return {
    check,
    verdict: 'note',
    message: `The contract lacks ${plural(keys.length, 'key')} of the responses, which the gateway ignores: ${enumerate(keys)}.`,
    details: { keys },
  };
}

function toUnknownValues({ unknownValues }: ShapeReport): Finding {
  const check = 'unknown-values';
  const values = [...unknownValues].sort();
  if (values.length === 0)
    return { check, verdict: 'ok', message: 'The schema has every enum value of the responses.' };
  return {
    check,
    verdict: 'finding',
    message: `The schema lacks ${plural(values.length, 'value')} of the responses, which clients get as UNRECOGNIZED: ${enumerate(values)}.`,
    details: { values },
  };
}

function enumerate(names: readonly string[]): string {
  const others = names.length - MAX_NAMES;
  return others > 0
    ? `${names.slice(0, MAX_NAMES).join(', ')} and ${others} more (--json)`
    : names.join(', ');
}
