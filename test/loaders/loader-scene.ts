import type { Call } from '#sandbox/api/wire.ts';
import {
  createTestGateway,
  KEY_A,
  NO_CACHE,
  NO_RETRIES,
  type TestGateway,
} from '../support/test-gateway.ts';

/**
 * One gateway for all tests of a file. It caches nothing between operations but the types of ids. `fresh`
 * reverts the changes of the previous test.
 */
export const gateway = createTestGateway({ settings: { ...NO_CACHE, ...NO_RETRIES } });
export const { calls, assistants, campaigns, rows } = gateway.sandbox.control.data(KEY_A);

export function fresh(): TestGateway {
  gateway.sandbox.control.heal();
  gateway.sandbox.control.clearLog();
  gateway.traffic();
  return gateway;
}

export const campaignIds = campaigns.map(({ id }) => id);
export const assistantIds = assistants.map(({ id }) => id);

/** `count` calls, each of a different campaign. */
export function callsOfCampaigns(count: number): Call[] {
  const found = new Map(calls.flatMap((call) => (call.campaign ? [[call.campaign.id, call]] : [])));
  return [...found.values()].slice(0, count);
}
