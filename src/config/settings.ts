import {
  type AuthenticationSettings,
  toAuthenticationSettings,
} from '#config/groups/authentication.ts';
import { type CacheSettings, toCacheSettings } from '#config/groups/caching.ts';
import { type DemoSettings, toDemoSettings } from '#config/groups/demo.ts';
import { type ListeningSettings, toListeningSettings } from '#config/groups/listening.ts';
import {
  type ObservabilitySettings,
  toObservabilitySettings,
} from '#config/groups/observability.ts';
import { type QueryLimitSettings, toQueryLimitSettings } from '#config/groups/query-limits.ts';
import { type ResilienceSettings, toResilienceSettings } from '#config/groups/resilience.ts';
import { type RestApiSettings, toRestApiSettings } from '#config/groups/rest-api.ts';
import { conditions, type Environment } from './conditions.ts';
import { variables } from './variables.ts';

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
    ObservabilitySettings,
    DemoSettings {
  readonly revox: UpstreamSettings;
  readonly requestDeadlineMs: number;
  readonly cache: CacheSettings;
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
 * Reads the settings. An empty variable counts as absent.
 * @throws SettingsError with every problem, if there is any
 */
export function readSettings(environment: Environment = process.env): Settings {
  const provided = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value.trim() !== ''),
  );
  const parsed = variables.safeParse(provided);
  const problems = [
    ...(parsed.error?.issues ?? []).map(({ path, message }) => `${path.join('.')} ${message}.`),
    ...conditions.filter(({ isBroken }) => isBroken(provided)).map(({ problem }) => problem),
  ];
  if (!parsed.success || problems.length > 0) throw new SettingsError(problems);

  const values = parsed.data;
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
    ...toObservabilitySettings(values),
    ...toDemoSettings(values, values.PORT),
  };
}
