import { readDemoSettings } from '#config/settings.ts';
import { summarizeDemo } from './demo-summary.ts';
import type { RestartableGateway } from './restartable-gateway.ts';

const SANDBOX_HOST = '127.0.0.1';

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
  const sandbox = createSandbox({ live: true });
  let gateway: RestartableGateway | undefined;
  const upstream = await serveSandbox(sandbox, {
    host: SANDBOX_HOST,
    port: settings.sandboxPort,
    demo: createDemoEndpoints(sandbox, { restart: () => gateway?.restart() }),
  });
  const apiKeys = sandbox.organizations.map(({ apiKey }) => apiKey);
  await serve(
    // A demo has no load balancer in front, and its user would wait for the delay at each change.
    {
      ...settings,
      drain: { ...settings.drain, delayMs: 0 },
      revox: { ...settings.revox, baseUrl: upstream.url, apiKey: apiKeys[0] },
    },
    {
      gateway: { exampleOperations: exampleOperations(sampleIds(sandbox)) },
      create(...args) {
        gateway = createRestartableGateway(() => createGateway(...args), settings.drain.timeoutMs);
        return gateway;
      },
      summarize: (address) =>
        summarizeDemo(settings, { address, sandboxUrl: upstream.url, apiKeys }),
      onStopped: () => upstream.close(),
    },
  );
}
