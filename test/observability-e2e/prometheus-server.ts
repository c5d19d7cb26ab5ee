import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listenOnFreePort } from '../support/served-gateway.ts';

const PROMETHEUS = '/usr/bin/prometheus';
const PROMTOOL = '/usr/bin/promtool';

export const RULES = join(import.meta.dirname, '../../deploy/prometheus');
export const hasPrometheus = existsSync(PROMETHEUS) && existsSync(PROMTOOL);

/** To be called in each suite: says in plain words when there is nothing to test with, and fails in CI, where there has to be. */
export function expectPrometheus(): void {
  if (!hasPrometheus)
    console.warn(
      `Nothing is asked of Prometheus: there is no ${PROMETHEUS} on this machine. Install it, or let CI do it.`,
    );
  test.runIf(process.env.CI === 'true')('CI has a Prometheus', () => {
    expect(hasPrometheus).toBe(true);
  });
}

/** Everything that promtool says, and its exit code. */
export function promtool(
  args: readonly string[],
  input = '',
): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve) => {
    const child = execFile(PROMTOOL, args, { cwd: RULES }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, output: `${stdout}${stderr}` }),
    );
    child.stdin?.end(input);
  });
}

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Prometheus extends AsyncDisposable {
  query(expr: string): Promise<Series[]>;
  /** `data` of an answer of its HTTP API. */
  get(path: string): Promise<unknown>;
}

/** A Prometheus that scrapes one gateway every second, and holds our alerts against it. */
export async function startPrometheus(gatewayPort: number): Promise<Prometheus> {
  const directory = mkdtempSync(join(tmpdir(), 'revox-prometheus-'));
  const config = join(directory, 'prometheus.yaml');
  writeFileSync(
    config,
    JSON.stringify({
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [join(RULES, 'alerts.yaml')],
      scrape_configs: [
        { job_name: 'revox-gateway', static_configs: [{ targets: [`127.0.0.1:${gatewayPort}`] }] },
      ],
    }),
  );
  const { child, origin } = await listenOnFreePort(async (port) => {
    const flags = [
      `--config.file=${config}`,
      `--storage.tsdb.path=${directory}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ];
    const started = spawn(PROMETHEUS, flags, { stdio: ['ignore', 'ignore', 'pipe'] });
    const isReady = Promise.withResolvers<boolean>();
    let said = '';
    started.stderr.on('data', (data) => {
      said += data;
      if (said.includes('Server is ready')) isReady.resolve(true);
    });
    started.once('exit', () => isReady.resolve(false));
    if (await isReady.promise) return { child: started, origin: `http://127.0.0.1:${port}` };
    throw said.includes('address already in use')
      ? Object.assign(new Error(said), { code: 'EADDRINUSE' })
      : new Error(said);
  });
  const get = async (path: string) => {
    const { status, data, error } = (await (
      await fetch(`${origin}/api/v1/${path}`)
    ).json()) as Record<string, unknown>;
    if (status !== 'success') throw new Error(`${path}: ${error}`);
    return data;
  };
  return {
    get,
    async query(expr) {
      const { result } = (await get(`query?query=${encodeURIComponent(expr)}`)) as {
        result: { metric: Record<string, string>; value: [number, string] }[];
      };
      return result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
    },
    async [Symbol.asyncDispose]() {
      const over = once(child, 'exit');
      child.kill('SIGTERM');
      await over;
      rmSync(directory, { recursive: true });
    },
  };
}
