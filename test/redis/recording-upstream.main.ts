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

process.on('message', ({ number, put = [], insert = 0 }: UpstreamMessage) => {
  for (const { apiKey, ...call } of put) {
    const [template] = sandbox.control.data(apiKey).calls;
    if (!template) throw new Error('The sandbox has no calls.');
    sandbox.control.putCall(apiKey, {
      ...template,
      calls_count: 0,
      call_attempts: [],
      last_call_attempt: null,
      // Without a campaign, no page of rows replaces the polls of the call.
      campaign: null,
      ...call,
    });
  }
  if (insert > 0)
    sandbox.control.insertAttempts(KEY_A, { at: 0, count: insert, status: 'completed' });
  const log = sandbox.log.map(({ path, at, organizationId }) => ({ path, at, organizationId }));
  sandbox.control.clearLog();
  process.send?.({ number, log } satisfies UpstreamReply);
});
process.on('disconnect', () => process.exit());
process.send?.({ url });
