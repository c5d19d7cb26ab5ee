import type { z } from 'zod';
import { type ArgumentRule, checkArgument, isObject } from '#check-arguments.ts';
import {
  type AuthenticationSettings,
  toAuthenticationSettings,
} from '#config/groups/authentication.ts';
import { type CacheSettings, toCacheSettings } from '#config/groups/caching.ts';
import { type DemoSettings, toDemoSettings } from '#config/groups/demo.ts';
import { type ListeningSettings, toListeningSettings } from '#config/groups/listening.ts';
import { type LiveSettings, toLiveSettings } from '#config/groups/live.ts';
import {
  type ObservabilitySettings,
  toObservabilitySettings,
} from '#config/groups/observability.ts';
import { type QueryLimitSettings, toQueryLimitSettings } from '#config/groups/query-limits.ts';
import { type ResilienceSettings, toResilienceSettings } from '#config/groups/resilience.ts';
import { type RestApiSettings, toRestApiSettings } from '#config/groups/rest-api.ts';
import { conditions, type Environment } from './conditions.ts';
import { findMisspelledSettings } from './misspelled-settings.ts';
import { describeTrimmedSecrets, findMalformedValues, trimSettings } from './secret-values.ts';
import {
  demoVariables,
  gatewaySettingNames,
  gatewayVariables,
  readNames,
  secretSettings,
  settingNames,
} from './variables.ts';

export type { JwtSettings } from '#config/groups/authentication.ts';
export type { Environment } from './conditions.ts';

/**
 * All settings, checked. Each comes from an environment variable of
 * `docs/reference/configuration.md`.
 */
export interface Settings
  extends ListeningSettings,
    AuthenticationSettings,
    QueryLimitSettings,
    ObservabilitySettings {
  readonly revox: UpstreamSettings;
  readonly requestDeadlineMs: number;
  readonly cache: CacheSettings;
  readonly live: LiveSettings;
}

export interface UpstreamSettings extends RestApiSettings, ResilienceSettings {
  /**
   * The key of the gateway itself (service mode). Absent: each request has its own key
   * (pass-through mode).
   */
  readonly apiKey: string | undefined;
}

/** All problems of the settings at once. Values are never quoted, because they may be secrets. */
export class SettingsError extends Error {
  override name = 'SettingsError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`Invalid settings:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

/**
 * Reads the settings. An empty variable counts as absent. The settings of the demo are not among
 * them.
 * @throws SettingsError with every problem, if there is any; TypeError if the argument is no object
 */
export function readSettings(environment: Environment = process.env): Settings {
  checkEnvironment(environment);
  const { settings, problems } = checkSettings(environment);
  if (settings === undefined || problems.length > 0) throw new SettingsError(problems);
  return settings;
}

/** @throws TypeError, or SettingsError for a value that is no text */
function checkEnvironment(environment: unknown): void {
  checkArgument('The argument of readSettings', environment, ENVIRONMENT);
  const problems = Object.entries(environment as object)
    .filter(([, value]) => value !== undefined && typeof value !== 'string')
    .map(([name]) => `${name} must be a text, as in the environment: { ${name}: '…' }.`);
  if (problems.length > 0) throw new SettingsError(problems);
}

const ENVIRONMENT: ArgumentRule = {
  expected: "an object of settings as text, such as { REVOX_BASE_URL: '…' }",
  accepts: isObject,
};

/**
 * Reads the settings of the demo. It replaces the upstream and its key: the settings of a real
 * upstream have no effect, and cannot stop the demo.
 * @throws SettingsError with every problem, if there is any
 */
export function readDemoSettings(environment: Environment = process.env): Settings & DemoSettings {
  const { settings, problems } = checkSettings({ ...environment, ...DEMO_VARIABLES }, true);
  const demo = demoVariables.safeParse(trimSettings(withoutEmpty(environment), settingNames));
  const allProblems = [...problems, ...toProblems(demo.error)];
  if (settings && demo.success && isPortTaken(demo.data.SANDBOX_PORT, settings.port))
    allProblems.push('SANDBOX_PORT must differ from PORT.');
  if (settings === undefined || !demo.success || allProblems.length > 0)
    throw new SettingsError(allProblems);
  return { ...settings, ...toDemoSettings(demo.data, settings.port) };
}

/** Whether the gateway listens there. Port 0 is a free port for each. */
function isPortTaken(sandboxPort: number | undefined, port: number): boolean {
  return port !== 0 && sandboxPort === port;
}

/** One sentence for each secret whose surrounding blanks or line breaks are ignored. */
export function readSettingNotices(environment: Environment = process.env): string[] {
  return describeTrimmedSecrets(environment, secretSettings);
}

/** Variables whose values would not fit the sandbox. The key stands for the sandbox's own. */
const DEMO_VARIABLES: Environment = {
  REVOX_API_KEY: 'demo',
  REVOX_BASE_URL: undefined,
  REVOX_FIRST_PAGE: undefined,
  REVOX_ARRAY_FORMAT: undefined,
};

interface CheckedSettings {
  /** Absent if a value cannot be read. */
  readonly settings?: Settings;
  readonly problems: readonly string[];
}

function checkSettings(environment: Environment, isDemo = false): CheckedSettings {
  const provided = trimSettings(withoutEmpty(environment), settingNames);
  const malformed = findMalformedValues(provided, gatewaySettingNames, secretSettings);
  const parsed = gatewayVariables.safeParse(provided);
  const problems = [
    ...findMisspelledSettings(provided, isDemo ? settingNames : gatewaySettingNames, readNames),
    ...malformed.values(),
    // One sentence for each value: quotation marks also make a number no number.
    ...toProblems(parsed.error, malformed),
    ...conditions
      .filter(({ isBroken }) => isBroken(provided))
      .map(({ problem, demoProblem }) => (isDemo && demoProblem) || problem)
      .filter((problem) => !malformed.has(problem.slice(0, problem.indexOf(' ')))),
  ];
  return parsed.success ? { settings: toSettings(parsed.data), problems } : { problems };
}

function withoutEmpty(environment: Environment): Environment {
  return Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value.trim() !== ''),
  );
}

function toProblems(
  error: z.ZodError | undefined,
  malformed: ReadonlyMap<string, string> = new Map(),
): string[] {
  return (error?.issues ?? [])
    .map(({ path, message }) => ({ name: path.join('.'), message }))
    .filter(({ name }) => !malformed.has(name))
    .map(({ name, message }) => `${name} ${message}.`);
}

function toSettings(values: z.output<typeof gatewayVariables>): Settings {
  return {
    ...toListeningSettings(values),
    ...toAuthenticationSettings(values),
    revox: {
      apiKey: values.REVOX_API_KEY,
      ...toRestApiSettings(values),
      ...toResilienceSettings(values),
    },
    requestDeadlineMs: values.REQUEST_DEADLINE_MS,
    cache: toCacheSettings(values),
    ...toQueryLimitSettings(values),
    live: toLiveSettings(values),
    ...toObservabilitySettings(values),
  };
}
