import { stripVTControlCharacters, styleText } from 'node:util';
import { VERSION } from '#generated/version.ts';
import { plural } from '#plural.ts';
import type { Finding, Verdict } from './finding.ts';

export interface ReportOptions {
  readonly format: 'text' | 'json';
  /** Whether the lines are for a terminal with colours. */
  readonly hasColors: boolean;
  readonly baseUrl: string;
  write(line: string): void;
}

/** Collects the findings of a run. As text, each one is written at once. */
export interface Report {
  add(finding: Finding): void;
  /**
   * Writes the settings and the result.
   * @returns the exit code
   */
  end(requests: number): 0 | 1 | 2;
}

const VERDICT_WIDTH = 7;
const CHECK_WIDTH = 18;

const COLORS = {
  ok: 'green',
  note: 'cyan',
  finding: 'yellow',
  failure: 'red',
  unknown: 'gray',
} as const satisfies Record<Verdict, Parameters<typeof styleText>[0]>;

/** The version of the JSON document: it changes if a reader of the old one would misread the new. */
const FORMAT_VERSION = 1;

export function createReport({ format, hasColors, baseUrl, write }: ReportOptions): Report {
  const findings: Finding[] = [];
  return {
    add(finding) {
      findings.push(finding);
      if (format === 'text') write(toLine(finding, hasColors));
    },
    end(requests) {
      const exitCode = toExitCode(findings);
      const settings = settingsOf(findings);
      if (format === 'json') {
        const document = {
          formatVersion: FORMAT_VERSION,
          gatewayVersion: VERSION,
          result: RESULTS[exitCode],
          exitCode,
          baseUrl,
          requests,
          findings,
          settings,
        };
        write(JSON.stringify(document, null, 2));
      } else writeEnd(settings, toSummary(exitCode, findings, requests), write);
      return exitCode;
    },
  };
}

const RESULTS = { 0: 'works', 1: 'fails', 2: 'works-with-findings' } as const;

function toLine({ verdict, check, message }: Finding, hasColors: boolean): string {
  const padded = verdict.padEnd(VERDICT_WIDTH);
  const shown = hasColors ? styleText(COLORS[verdict], padded, { validateStream: false }) : padded;
  // A header of the upstream may be part of the message.
  return `${shown}  ${check.padEnd(CHECK_WIDTH)}  ${stripVTControlCharacters(message)}`;
}

function toExitCode(findings: readonly Finding[]): 0 | 1 | 2 {
  const has = (verdict: Verdict) => findings.some((finding) => finding.verdict === verdict);
  if (has('failure')) return 1;
  return has('finding') ? 2 : 0;
}

function settingsOf(findings: readonly Finding[]): Record<string, string> {
  return Object.assign({}, ...findings.map(({ settings }) => settings ?? {}));
}

function writeEnd(
  settings: Readonly<Record<string, string>>,
  summary: string,
  write: (line: string) => void,
): void {
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  if (lines.length > 0) for (const line of ['', 'Settings to use:', '', ...lines]) write(line);
  write('');
  write(summary);
}

function toSummary(exitCode: 0 | 1 | 2, findings: readonly Finding[], requests: number): string {
  const count = (verdict: Verdict) =>
    findings.filter((finding) => finding.verdict === verdict).length;
  const sent = plural(requests, 'request');
  if (exitCode === 1)
    return `The gateway will not work: ${plural(count('failure'), 'failure')} (${sent}).`;
  if (findings.some(({ endsChecks }) => endsChecks))
    return `The API responds; without a key, nothing more is known of it (${sent}).`;
  return exitCode === 0
    ? `The gateway works with this upstream (${sent}).`
    : `The gateway works with this upstream, with ${plural(count('finding'), 'finding')} (${sent}).`;
}
