/**
 * A sandbox in a process of its own: neither the gateways nor the test delay the times of its log.
 * The test sends it messages.
 */
import { createSandbox } from '#sandbox/sandbox.ts';
import { serveSandbox } from '#sandbox/serve-sandbox.ts';
import type { UpstreamMessage, UpstreamReply } from './recording-upstream.ts';

/** The key of the sandbox's first organization. */
const KEY_A = 'sk_demo_a';

const sandbox = createSandbox();
const { url } = await serveSandbox(sandbox, { host: '127.0.0.1', port: 0 });

const { calls, campaigns, rows } = sandbox.control.data(KEY_A);
const [first] = campaigns;
if (!first) throw new Error('The sandbox has no campaigns.');
const campaign = { id: first.id, name: first.name };
const inCampaign = new Set<string>();

process.on('message', ({ number, put = [], insert = 0, rows: ids = [] }: UpstreamMessage) => {
  for (const { apiKey, ...call } of put) {
    const [template] = sandbox.control.data(apiKey).calls;
    if (!template) throw new Error('The sandbox has no calls.');
    sandbox.control.putCall(apiKey, {
      ...template,
      calls_count: 0,
      call_attempts: [],
      last_call_attempt: null,
      // Without a campaign, no page of rows replaces the polls of the call.
      campaign: inCampaign.has(call.id) ? campaign : null,
      ...call,
    });
  }
  if (ids.length > 0) {
    for (const id of ids) inCampaign.add(id);
    for (const call of calls.filter(({ id }) => inCampaign.has(id)))
      sandbox.control.putCall(KEY_A, { ...call, campaign });
    rows[campaign.id]?.splice(0);
    const byId = new Map(calls.map((call) => [call.id, call]));
    const items = ids.map((id) => ({ call: byId.get(id) }));
    sandbox.control.insertRows(KEY_A, campaign.id, { at: 0, items: items as [] });
  }
  if (insert > 0)
    sandbox.control.insertAttempts(KEY_A, { at: 0, count: insert, status: 'completed' });
  const log = sandbox.log.map(({ path, at, organizationId }) => ({ path, at, organizationId }));
  sandbox.control.clearLog();
  process.send?.({ number, log } satisfies UpstreamReply);
});
process.on('disconnect', () => process.exit());
process.send?.({ url });
