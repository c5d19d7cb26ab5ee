import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listenOnFreePort } from '../support/served-gateway.ts';

/** An application in a folder of `examples`. */
export interface ExampleApp {
  /** Whether `npm run install:examples` has run. */
  readonly isInstalled: boolean;
  /** The path of a file of the application. */
  pathOf(name: string): string;
  /** Builds the application as its users do. */
  build(): Promise<void>;
  /** Serves the built application, with a proxy to the gateway. */
  serve(gatewayUrl: string): Promise<ServedApp>;
}

export interface ServedApp extends AsyncDisposable {
  readonly url: string;
}

export function exampleApp(name: string): ExampleApp {
  const folder = join(import.meta.dirname, '../../examples', name);
  const vite = join(folder, 'node_modules/vite/bin/vite.js');
  return {
    isInstalled: existsSync(vite),
    pathOf: (file) => join(folder, file),
    async build() {
      const build = spawn('npm', ['run', 'build', '--silent'], {
        cwd: folder,
        env: { ...process.env, NODE_ENV: 'production' },
        stdio: 'inherit',
      });
      const [code] = await once(build, 'exit');
      if (code !== 0) throw new Error(`npm run build ended with ${code}.`);
    },
    serve: (gatewayUrl) =>
      listenOnFreePort(async (port) => {
        const options = ['--port', `${port}`, '--strictPort'];
        const child = spawn(process.execPath, [vite, 'preview', ...options], {
          cwd: folder,
          env: { ...process.env, GATEWAY_URL: new URL(gatewayUrl).origin, NO_COLOR: '1' },
        });
        const url = `http://127.0.0.1:${port}`;
        await untilReady(child, url);
        return {
          url,
          async [Symbol.asyncDispose]() {
            child.kill();
            await once(child, 'exit');
          },
        };
      }),
  };
}

/** Warns if the packages of an example are missing; in CI that is a failure. */
export function expectInstalled({ isInstalled, pathOf }: ExampleApp): void {
  if (!isInstalled)
    console.warn(
      `The tests of ${pathOf('')} are skipped: its packages are missing. Run \`npm run install:examples\`.`,
    );
  test.runIf(process.env.CI === 'true')('CI has the packages of the example', () => {
    expect(isInstalled).toBe(true);
  });
}

async function untilReady(child: ChildProcessWithoutNullStreams, url: string): Promise<void> {
  let output = '';
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    output += chunk;
    if (output.includes(url)) {
      child.stdout.resume();
      return;
    }
  }
  const code = output.includes('is already in use') ? 'EADDRINUSE' : undefined;
  throw Object.assign(new Error(`vite preview has ended: ${output}`), { code });
}
