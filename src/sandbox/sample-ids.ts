import { checkArgument } from '#check-arguments.ts';
import type { Call } from '#sandbox/api/wire.ts';
import type { Sandbox } from './sandbox.ts';
import { SANDBOX } from './sandbox-options.ts';

/**
 * Example ids for a reader who does not know the data. With the same seed they are the same in
 * every run, except those of calls in progress.
 */
export interface SampleIds {
  /** Finished, with a long transcript, tools, and structured output. */
  readonly richCallId: string;
  /** Reached after several attempts over days. */
  readonly retriedCallId: string;
  /** An ongoing call; a ringing or queued one if none is ongoing. */
  readonly liveCallId: string;
  /**
   * A ringing call, or `liveCallId` if none rings. In live data with the default seed, the one at the
   * start ends after two minutes.
   */
  readonly ringingCallId: string;
  readonly frenchAssistantId: string;
  readonly fiveAssistantIds: readonly string[];
  /** Running, with 500 rows. */
  readonly largeCampaignId: string;
  readonly finishedCampaignId: string;
  /** Twenty calls of six campaigns. */
  readonly twentyCallIds: readonly string[];
}

const DAY_MS = 86_400_000;

/**
 * Finds the sample ids in the data of the first organization.
 * @throws TypeError if the argument is no sandbox
 */
export function sampleIds(sandbox: Sandbox): SampleIds {
  checkArgument('The argument of sampleIds', sandbox, SANDBOX);
  const { calls, assistants, campaigns, rows } = sandbox.control.data(
    sandbox.organizations[0]?.apiKey ?? '',
  );
  const isAnswered = (call: Call) =>
    call.status === 'completed' && call.last_call_attempt?.result === 'human';
  const richnessOf = (call: Call) =>
    (call.last_call_attempt?.transcript?.length ?? 0) +
    Object.keys(call.last_call_attempt?.structured_output ?? {}).length;
  const callsByCampaign = new Map<string, Call[]>();
  for (const call of calls) {
    if (call.campaign === null || !isAnswered(call)) continue;
    callsByCampaign.set(call.campaign.id, [...(callsByCampaign.get(call.campaign.id) ?? []), call]);
  }
  const sixCampaigns = campaigns.filter(({ id }) => callsByCampaign.has(id)).slice(0, 6);
  const liveCallId = assertFound(
    calls.findLast((call) => call.last_call_attempt?.status === 'ongoing') ??
      calls.findLast((call) => call.status === 'calling') ??
      calls.at(-1),
  ).id;
  return {
    richCallId: assertFound(
      calls
        .filter((call) => isAnswered(call) && call.campaign !== null)
        .sort((one, other) => richnessOf(other) - richnessOf(one))[0],
    ).id,
    retriedCallId: assertFound(
      calls.find((call) => isAnswered(call) && call.calls_count >= 5 && spanMs(call) > 2 * DAY_MS),
    ).id,
    liveCallId,
    ringingCallId:
      calls.findLast((call) => call.last_call_attempt?.status === 'ringing')?.id ?? liveCallId,
    frenchAssistantId: assertFound(
      assistants.find(({ prompt }) => /^(Tu es|Vous êtes) /.test(prompt)),
    ).id,
    fiveAssistantIds: assistants.slice(0, 5).map(({ id }) => id),
    largeCampaignId: assertFound(campaigns.find(({ id }) => rows[id]?.length === 500)).id,
    finishedCampaignId: assertFound(campaigns.find(({ status }) => status === 'completed')).id,
    twentyCallIds: sixCampaigns
      .flatMap(({ id }, index) => (callsByCampaign.get(id) ?? []).slice(0, index < 2 ? 4 : 3))
      .map(({ id }) => id),
  };
}

function spanMs(call: Call): number {
  return (
    Date.parse(call.call_attempts[0]?.started_at ?? '') -
    Date.parse(call.call_attempts.at(-1)?.started_at ?? '')
  );
}

function assertFound<T>(found: T | undefined): T {
  if (found === undefined) throw new Error('The sandbox has no such example');
  return found;
}
