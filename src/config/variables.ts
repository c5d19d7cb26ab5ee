import { z } from 'zod';
import { authentication } from '#config/groups/authentication.ts';
import { caching } from '#config/groups/caching.ts';
import { demo } from '#config/groups/demo.ts';
import { listening } from '#config/groups/listening.ts';
import { live } from '#config/groups/live.ts';
import { observability } from '#config/groups/observability.ts';
import { queryLimits } from '#config/groups/query-limits.ts';
import { resilience } from '#config/groups/resilience.ts';
import { restApi } from '#config/groups/rest-api.ts';
import { documentation, type SecretForm, type VariableGroup } from './variable.ts';

/** The groups of variables, in the order of the reference page. */
export const variableGroups: readonly VariableGroup[] = [
  listening,
  authentication,
  restApi,
  resilience,
  caching,
  queryLimits,
  live,
  observability,
  demo,
];

/**
 * Every environment variable that the gateway reads, checked one by one. `conditions.ts` checks what
 * must fit together.
 */
export const gatewayVariables = z.object({
  ...listening.variables,
  ...authentication.variables,
  ...restApi.variables,
  ...resilience.variables,
  ...caching.variables,
  ...queryLimits.variables,
  ...live.variables,
  ...observability.variables,
});

/** Those of the demo alone: they cannot stop a start. */
export const demoVariables = z.object(demo.variables);

/** Every environment variable that is read. */
export const variables = gatewayVariables.extend(demo.variables);

/** Their names, whether they are settings or variables of Node.js, undici and OpenTelemetry. */
export const readNames: ReadonlySet<string> = new Set(Object.keys(variables.shape));

const documented = Object.entries(variables.shape).flatMap(([name, schema]) => {
  const found = documentation.get(schema as Parameters<typeof documentation.get>[0]);
  return found ? [{ name, secret: found.secret }] : [];
});

/** The names of the settings. */
export const settingNames: readonly string[] = documented.map(({ name }) => name);

/** The names of the settings without those of the demo. */
export const gatewaySettingNames = settingNames.filter((name) => !(name in demo.variables));

/** The settings whose values are secrets, or contain one. */
export const secretSettings: ReadonlyMap<string, SecretForm> = new Map(
  documented.flatMap(({ name, secret }) => (secret ? [[name, secret] as const] : [])),
);
