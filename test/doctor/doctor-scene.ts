import { connect } from 'node:net';
import { type Environment, readSettings } from '#config/settings.ts';
import type { Finding } from '#doctor/finding.ts';
import { type DoctorOptions, runDoctor } from '#doctor/run-doctor.ts';
import { createSandbox, type Sandbox, type SandboxOptions } from '#sandbox/sandbox.ts';

export const STARTED_AT = Date.parse('2024-06-12T12:00:00.000Z');

/** The document of `--json`. */
export interface DoctorDocument {
  readonly formatVersion: number;
  readonly gatewayVersion: string;
  readonly result: string;
  readonly exitCode: number;
  readonly baseUrl: string;
  readonly requests: number;
  readonly findings: readonly Finding[];
  readonly settings: Readonly<Record<string, string>>;
}

export interface Diagnosis extends DoctorDocument {
  /** The message of a check, behind its verdict. */
  verdictOf(check: string): string | undefined;
  /** The requests that the sandbox received, without the ids in their paths. */
  readonly traffic: readonly string[];
}

export interface DiagnosisOptions {
  readonly sandbox?: SandboxOptions;
  readonly settings?: Environment;
  readonly doctor?: Partial<DoctorOptions>;
  readonly prepare?: (sandbox: Sandbox) => void;
}

/** Runs the doctor over a sandbox, without sockets and with a clock that stands still. */
export async function diagnose(options: DiagnosisOptions = {}): Promise<Diagnosis> {
  const sandbox = createTestSandbox(options);
  const document = await runAsJson({ fetch: sandbox.fetch, ...options.doctor }, options.settings);
  return toDiagnosis(document, toTraffic(sandbox));
}

export function createTestSandbox({ sandbox: options, prepare }: DiagnosisOptions): Sandbox {
  const sandbox = createSandbox({
    now: () => STARTED_AT,
    startedAt: STARTED_AT,
    sendsDate: true,
    ...options,
  });
  prepare?.(sandbox);
  return sandbox;
}

/** The lines of the text form. */
export async function runAsText(
  options: Partial<DoctorOptions>,
  settings: Environment = {},
): Promise<{ readonly lines: string[]; readonly exitCode: number }> {
  const lines: string[] = [];
  const exitCode = await runDoctor({
    ...toOptions(settings),
    ...options,
    format: 'text',
    write: (line) => lines.push(line),
  });
  return { lines, exitCode };
}

export async function runAsJson(
  options: Partial<DoctorOptions>,
  settings: Environment = {},
): Promise<DoctorDocument> {
  const lines: string[] = [];
  const exitCode = await runDoctor({
    ...toOptions(settings),
    ...options,
    format: 'json',
    write: (line) => lines.push(line),
  });
  const document = JSON.parse(lines.join('\n')) as DoctorDocument;
  if (document.exitCode !== exitCode) throw new Error('the document has another exit code');
  return document;
}

export function toDiagnosis(document: DoctorDocument, traffic: readonly string[]): Diagnosis {
  return {
    ...document,
    traffic,
    verdictOf: (check) => {
      const finding = document.findings.find((one) => one.check === check);
      return finding && `${finding.verdict}: ${finding.message}`;
    },
  };
}

/** `/call/7f…` becomes `/call/{id}`. */
export function toTraffic({ log }: Sandbox): string[] {
  return log.map(({ method, path }) => {
    const template = path.replace(/^(\/[^/?]+)\/[^/?]+/, '$1/{id}');
    return `${method === 'GET' ? '' : `${method} `}${template}`;
  });
}

function toOptions(settings: Environment) {
  return {
    settings: readSettings({
      REVOX_BASE_URL: 'http://localhost/api',
      REVOX_API_KEY: 'sk_demo_a',
      ...settings,
    }),
    now: () => STARTED_AT,
    monotonicNow: () => 0,
  };
}

/** A random port below those that the system picks for outgoing connections. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const socket = connect(port, '127.0.0.1');
    const isFree = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(false));
      socket.once('error', () => resolve(true));
    });
    socket.destroy();
    if (isFree) return port;
  }
}
