import type { FaultyConnection, FaultyResponder } from '../support/faulty-upstream.ts';
import type { ReplacementServer } from './replacement-servers.ts';

/** A fault of the upstream and the expected behaviour of the gateway: one row of the table. */
export interface Fault {
  /** A verb phrase whose subject is the upstream. */
  readonly name: string;
  /** Variants of the fault. Each is tested. */
  readonly variants: readonly Variant[];
  readonly outcome: Outcome;
  /** A remark in addition to `outcome`. */
  readonly remark?: string | undefined;
  /** The field that meets the fault. */
  readonly subject: SubjectName;
  /** The attempts that the field returns; absent: the first hundred. */
  readonly attempts?: ((ids: readonly string[]) => readonly string[]) | undefined;
  /** The change of the field's value; absent: none. */
  // biome-ignore lint/suspicious/noExplicitAny: each fault knows the type of its field
  readonly transform?: ((value: any) => unknown) | undefined;
  /**
   * Requests that the gateway sends again because their kept connection closes. It does not count
   * them.
   */
  readonly resent?: number | undefined;
  /** The drift that the gateway counts, as `kind Type.field`. */
  readonly drift?: readonly string[] | undefined;
  /** Upstream requests for the field. */
  readonly requests: number;
  /** Whether the other fields have been requested before, so that connections are kept alive. */
  readonly isWarm?: boolean | undefined;
  /** Whether the field has been requested before. */
  readonly isCached?: boolean | undefined;
  /** The cooldown after the fault, in ms. The test skips it. */
  readonly skipMs?: number | undefined;
  /** Upstream requests for the field if it is requested again during the fault; absent: not tested. */
  readonly again?: number | undefined;
  /** The bound of the field's delay. */
  readonly bound: Bound;
  /** Settings in addition to those of all faults. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  /** Headers of the client, for pass-through mode. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly isSecure?: boolean | undefined;
  /** Whether the gateway drops all cached responses of the key, because the upstream rejects it. */
  readonly dropsCache?: boolean | undefined;
  /** Additional bytes that the process may use during the fault. */
  readonly maxBytes?: number | undefined;
}

/** The result of the field that meets the fault. */
export type Outcome =
  /** The value, as without the fault. */
  | 'value'
  /** Null without an error. */
  | 'null'
  /** Null, with an error of this code and these extensions. `as sent`: the number in the variant's name. */
  | { readonly code: string; readonly status?: number | 'as sent'; readonly retryAfter?: number };

export type Bound =
  /** The upstream responds without delay, and the gateway does not wait. */
  | 'none'
  /** The gateway waits between its attempts. */
  | 'retry delays'
  /** The gateway waits for the delay that the upstream requests. */
  | '`Retry-After`'
  | TimeSetting;

/** The setting of a timeout. */
export type TimeSetting =
  | 'REVOX_TIMEOUT_MS'
  | 'REVOX_CONNECT_TIMEOUT_MS'
  | 'REVOX_HEADERS_TIMEOUT_MS'
  | 'REVOX_BODY_TIMEOUT_MS'
  | 'REQUEST_DEADLINE_MS';

export type SubjectName = 'call' | 'call in full' | 'attempts' | 'assistant' | 'rows';

export interface Variant {
  /** Empty if there is only one variant. */
  readonly name: string;
  readonly wrong: FaultSource;
}

/** The place of the fault. */
export type FaultSource =
  /** The responses to the field's requests are faulty. */
  | { readonly answer: FaultyResponder }
  /** The responses point to another server with this origin. The gateway must never connect to it. */
  | { readonly leadTo: (origin: string) => FaultyResponder }
  /** Connections are faulty, so no other field can be requested either. */
  | { readonly connection: FaultyConnection }
  /** Another server listens on the upstream's port. */
  | { readonly instead: ReplacementServer };

/** Faults of one kind: one table of the page. */
export interface FaultGroup {
  readonly title: string;
  readonly faults: readonly Fault[];
}

/** The expectations of a fault that differ from the defaults. */
export type FaultExpectation = Pick<Fault, 'outcome'> &
  Partial<Omit<Fault, 'name' | 'variants' | 'requests'>> &
  SentRequests;

interface SentRequests {
  readonly requests?: number;
  /** Whether the gateway sends all retries. */
  readonly isRetried?: boolean;
}

/** `REVOX_RETRIES` */
export const RETRIES = 2;

export function fault(name: string, wrong: FaultSource, expected: FaultExpectation): Fault {
  return faults(name, { '': wrong }, expected);
}

/** Several faults with the same result. */
export function faults(
  name: string,
  kinds: Readonly<Record<string, FaultSource>>,
  expected: FaultExpectation,
): Fault {
  const { isRetried = false, requests = isRetried ? 1 + RETRIES : 1, ...rest } = expected;
  const bound = isRetried ? 'retry delays' : 'none';
  const variants = Object.entries(kinds).map(([kind, wrong]) => ({ name: kind, wrong }));
  return { name, variants, subject: 'call', bound, requests, ...rest };
}

/** A fault in the upstream's responses. */
export function responseFault(
  name: string,
  answer: FaultyResponder,
  expected: FaultExpectation,
): Fault {
  return fault(name, { answer }, expected);
}

export function responseFaults(
  name: string,
  kinds: Readonly<Record<string, FaultyResponder>>,
  expected: FaultExpectation,
): Fault {
  return faults(
    name,
    Object.fromEntries(Object.entries(kinds).map(([kind, answer]) => [kind, { answer }])),
    expected,
  );
}
