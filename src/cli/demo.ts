import { readDemoSettings, type Settings } from '#config/settings.ts';
import type { Sandbox } from '#sandbox/sandbox.ts';
import { summarizeDemo, toReachable } from './demo-summary.ts';
import type { RestartableGateway } from './restartable-gateway.ts';

const SANDBOX_HOST = '127.0.0.1';

/** The sandbox sends its webhooks to the gateway, which needs a secret for that. */
function withWebhooks(live: Settings['live']): Settings['live'] {
  if (!live.isEnabled || live.webhookSecrets.length > 0) return live;
  return { ...live, webhookSecrets: [crypto.randomUUID()] };
}

/** All assistants, because those of the generated data have invented hosts. */
function setWebhookUrl({ control, organizations }: Sandbox, url: string): void {
  for (const { apiKey } of organizations) {
    const { assistants, calls } = control.data(apiKey);
    for (const assistant of [...assistants, ...calls.flatMap((call) => call.assistant ?? [])])
      assistant.webhook_url = url;
  }
}

/**
 * Serves the gateway with the embedded sandbox as its upstream: service mode with the key of the
 * sandbox's first organization, over real sockets. It returns when the gateway listens.
 */
export async function runDemo(): Promise<void> {
  const settings = readDemoSettings();
  const { serve } = await import('./serve.ts');
  const { createRestartableGateway } = await import('./restartable-gateway.ts');
  const { createGateway } = await import('#gateway.ts');
  const { createSandbox } = await import('#sandbox/sandbox.ts');
  const { serveSandbox } = await import('#sandbox/serve-sandbox.ts');
  const { createDemoEndpoints } = await import('#sandbox/demo-endpoints.ts');
  const { sampleIds } = await import('#sandbox/sample-ids.ts');
  const { exampleOperations } = await import('#sandbox/example-operations.ts');

  // A proxy of the environment could not reach the sandbox.
  process.env.no_proxy = [process.env.no_proxy ?? process.env.NO_PROXY, SANDBOX_HOST]
    .filter(Boolean)
    .join();
  const sandbox = createSandbox({ live: true, webhooks: {} });
  let gateway: RestartableGateway | undefined;
  const upstream = await serveSandbox(sandbox, {
    host: SANDBOX_HOST,
    port: settings.sandboxPort,
    demo: createDemoEndpoints(sandbox, { restart: () => gateway?.restart() }),
  });
  const apiKeys = sandbox.organizations.map(({ apiKey }) => apiKey);
  const [apiKey = ''] = apiKeys;
  const live = withWebhooks(settings.live);
  await serve(
    // A demo has no load balancer in front, and its user would wait for the delay at each change.
    {
      ...settings,
      drain: { ...settings.drain, delayMs: 0 },
      live,
      revox: { ...settings.revox, baseUrl: upstream.url, apiKey },
    },
    {
      gateway: { exampleOperations: exampleOperations(sampleIds(sandbox)) },
      create(...args) {
        gateway = createRestartableGateway(() => createGateway(...args), settings.drain.timeoutMs);
        return gateway;
      },
      summarize: (address) =>
        summarizeDemo(settings, { address, sandboxUrl: upstream.url, apiKeys }),
      onListening(address) {
        const [secret] = live.webhookSecrets;
        if (secret === undefined) return;
        const origin = `http://${toReachable(address)}${settings.basePath}`;
        setWebhookUrl(sandbox, `${origin}/webhooks/revox/${secret}`);
      },
      onStopped: () => upstream.close(),
    },
  );
}
