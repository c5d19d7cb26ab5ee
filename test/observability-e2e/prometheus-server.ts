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

/** To be called in each suite: warns if Prometheus is not installed, and fails in CI, which must have it. */
export function expectPrometheus(): void {
  if (!hasPrometheus)
    console.warn(`The tests with Prometheus are skipped: ${PROMETHEUS} is not installed.`);
  test.runIf(process.env.CI === 'true')('CI has Prometheus installed', () => {
    expect(hasPrometheus).toBe(true);
  });
}

/** Runs promtool, and returns its output and exit code. */
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
  /** Returns `data` of a response of the HTTP API. */
  get(path: string): Promise<unknown>;
}

/** Starts a Prometheus that scrapes one gateway every second, and evaluates the alerts. */
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
    let output = '';
    started.stderr.on('data', (data) => {
      output += data;
      if (output.includes('Server is ready')) isReady.resolve(true);
    });
    started.once('exit', () => isReady.resolve(false));
    if (await isReady.promise) return { child: started, origin: `http://127.0.0.1:${port}` };
    throw output.includes('address already in use')
      ? Object.assign(new Error(output), { code: 'EADDRINUSE' })
      : new Error(output);
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
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
      rmSync(directory, { recursive: true });
    },
  };
}
