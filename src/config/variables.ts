import { z } from 'zod';
import { authentication } from '#config/groups/authentication.ts';
import { caching } from '#config/groups/caching.ts';
import { demo } from '#config/groups/demo.ts';
import { listening } from '#config/groups/listening.ts';
import { observability } from '#config/groups/observability.ts';
import { queryLimits } from '#config/groups/query-limits.ts';
import { resilience } from '#config/groups/resilience.ts';
import { restApi } from '#config/groups/rest-api.ts';
import type { VariableGroup } from './variable.ts';

/** The groups of variables, in the order of the reference page. */
export const variableGroups: readonly VariableGroup[] = [
  listening,
  authentication,
  restApi,
  resilience,
  caching,
  queryLimits,
  observability,
  demo,
];

/**
 * Every environment variable that is read, checked one by one. `conditions.ts` checks what must fit
 * together.
 */
export const variables = z.object({
  ...listening.variables,
  ...authentication.variables,
  ...restApi.variables,
  ...resilience.variables,
  ...caching.variables,
  ...queryLimits.variables,
  ...observability.variables,
  ...demo.variables,
});
