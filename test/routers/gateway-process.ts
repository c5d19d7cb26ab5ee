import { createSandbox, type Sandbox } from '#sandbox/sandbox.ts';
import { serveSandbox } from '#sandbox/serve-sandbox.ts';
import { freePort, type GatewayProcess, startGateway } from '../sockets/demo-process.ts';
import { listenOnFreePort } from '../support/served-gateway.ts';
import { KEY_A } from '../support/test-gateway.ts';
import { ROUTER_SECRET } from './router-process.ts';

/** A gateway in a process of its own, over a sandbox in the process of the test. */
export interface GatewayProcessOverSandbox extends GatewayProcess {
  /** The URL of the GraphQL endpoint. */
  readonly url: string;
  readonly sandbox: Sandbox;
}

export async function startGatewayProcess(
  settings: Readonly<Record<string, string>>,
): Promise<GatewayProcessOverSandbox> {
  await using started = new AsyncDisposableStack();
  const sandbox = createSandbox();
  const upstream = await listenOnFreePort((port) =>
    serveSandbox(sandbox, { host: '127.0.0.1', port }),
  );
  started.defer(() => upstream.close());
  const port = await freePort();
  const gateway = started.use(
    startGateway([], {
      PORT: String(port),
      REVOX_BASE_URL: upstream.url,
      REVOX_API_KEY: KEY_A,
      ROUTER_SECRETS: ROUTER_SECRET,
      LIVE_CALL_MS: '1000',
      ...settings,
    }),
  );
  const url = `http://127.0.0.1:${port}/graphql`;
  const line = await gateway.firstLine;
  if (!line.includes(url)) throw new Error(`The gateway did not start. ${line}`);
  const running = started.move();
  return { ...gateway, url, sandbox, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
