import { wireEnums } from '#generated/revox-api.ts';
import { scalarCoercers } from './scalars.ts';
import { hasId, isWireObject, type WireObject } from './wire-object.ts';

/**
 * What other versions of the API say instead of a key that they lack, as the key itself would say it; undefined where they say nothing.
 * Asked only for what is missing, or null where it must not be, and never of what is as documented.
 */
type Fallback = (object: WireObject) => unknown;

/**
 * The one place that knows how other versions spell what the documents promise, by type and key. (Envelopes, which hold no field, are
 * taken off in `rest/revox-api.ts`.) It makes no copies: what is remembered stays as REST said it.
 */
const FALLBACKS: { readonly [type: string]: { readonly [key: string]: Fallback } } = {
  Call: {
    // `status` came with one version, the two flags go with another. Neither flag: five statuses are left, and none is more likely.
    status: ({ is_cancelled, is_completed }) =>
      isTrue(is_cancelled) ? 'cancelled' : isTrue(is_completed) ? 'completed' : undefined,
    is_cancelled: ({ status }) => (isCallStatus(status) ? status === 'cancelled' : undefined),
    is_completed: ({ status }) => (isCallStatus(status) ? status === 'completed' : undefined),
    // Documented: newest first. The other way round nothing follows: one attempt must not pass for all of them.
    last_call_attempt: ({ call_attempts }) =>
      Array.isArray(call_attempts)
        ? (call_attempts.find((attempt) => isWireObject(attempt) && hasId(attempt)) ?? null)
        : undefined,
  },
  CallRetryConfig: {
    // The oldest versions know one window only, whose times and delay stand on the configuration itself, under the same names.
    calling_windows: (config) => (WINDOW_KEYS.some((key) => config[key] != null) ? [config] : undefined),
  },
};

const WINDOW_KEYS = ['calling_window_start_time', 'calling_window_end_time', 'retry_delay_seconds'];

export function fallbackFor(typeName: string, key: string): Fallback | undefined {
  return FALLBACKS[typeName]?.[key];
}

function isCallStatus(status: unknown): boolean {
  return typeof status === 'string' && wireEnums.CallStatus?.includes(status) === true;
}

function isTrue(flag: unknown): boolean {
  return scalarCoercers.Boolean?.(flag) === true;
}
