import { wireEnums } from '#generated/revox-api.ts';
import { scalarCoercers } from './scalars.ts';
import { hasId, isWireObject, type WireObject } from './wire-object.ts';

/**
 * Derives the value of a key that a version of the API lacks from the keys that it uses instead;
 * undefined if they do not determine it. Called only if the key is missing, or null where the
 * documentation does not allow null.
 */
type Fallback = (object: WireObject) => unknown;

/**
 * Fallbacks by type and key: the only module that knows how other versions express the documented
 * keys. (`rest/revox-api.ts` unwraps envelopes, which contain no field.) A fallback creates no
 * copies: cached objects stay as REST returned them.
 */
const FALLBACKS: { readonly [type: string]: { readonly [key: string]: Fallback } } = {
  Call: {
    // One version introduced `status`, another one drops the two flags. If neither flag is set,
    // five statuses remain, and none is more likely than the others.
    status: ({ is_cancelled, is_completed }) =>
      isTrue(is_cancelled) ? 'cancelled' : isTrue(is_completed) ? 'completed' : undefined,
    is_cancelled: ({ status }) => (isCallStatus(status) ? status === 'cancelled' : undefined),
    is_completed: ({ status }) => (isCallStatus(status) ? status === 'completed' : undefined),
    // Documented order: newest first. The list itself is not derived from `last_call_attempt`: one
    // attempt must not pass for all of them.
    last_call_attempt: ({ call_attempts }) =>
      Array.isArray(call_attempts)
        ? (call_attempts.find((attempt) => isWireObject(attempt) && hasId(attempt)) ?? null)
        : undefined,
  },
  CallRetryConfig: {
    // The oldest versions have a single window: its times and delay are keys of the configuration
    // itself, with the same names.
    calling_windows: (config) =>
      WINDOW_KEYS.some((key) => config[key] != null) ? [config] : undefined,
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
