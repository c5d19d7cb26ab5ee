import type { FaultyConnection, FaultyResponder } from '../support/faulty-upstream.ts';
import type { ReplacementServer } from './replacement-servers.ts';

/** One way of an upstream to go wrong, and all that is promised of it. A row of the table. */
export interface Fault {
  /** What the upstream does. */
  readonly name: string;
  /** Several kinds of the same: each is tried. */
  readonly variants: readonly Variant[];
  readonly outcome: Outcome;
  /** In words, where `says` does not tell all. */
  readonly remark?: string | undefined;
  /** The field that meets it. */
  readonly subject: SubjectName;
  /** Of the upstream's attempts, those that the field gives; absent: the first hundred. */
  readonly attempts?: ((ids: readonly string[]) => readonly string[]) | undefined;
  /** What becomes of the field's value; absent: it stays. */
  // biome-ignore lint/suspicious/noExplicitAny: each fault knows what its field gives
  readonly transform?: ((value: any) => unknown) | undefined;
  /** What is counted as not documented, as `kind Type.field`. */
  readonly drift?: readonly string[] | undefined;
  /** Upstream requests for that field. */
  readonly requests: number;
  /** Whether others have been asked for before, and connections are kept. */
  readonly isWarm?: boolean | undefined;
  /** Whether the field has been asked for before. */
  readonly isCached?: boolean | undefined;
  /** For so long after it is over the upstream is not asked again, ms. */
  readonly skipMs?: number | undefined;
  /** Upstream requests for that field when the same is asked again while the fault lasts; absent: as many. */
  readonly again?: number | undefined;
  /** What bounds how long the field may take. */
  readonly bound: Bound;
  /** Over those of all. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  /** Of the caller, for one who brings a key. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly isSecure?: boolean | undefined;
  /** Whether all that is remembered is dropped: the upstream has refused the key. */
  readonly dropsCache?: boolean | undefined;
  /** Bytes that the process may take meanwhile, over what it had before. */
  readonly maxBytes?: number | undefined;
}

/** What the field says that meets the fault. */
export type Outcome =
  /** As if nothing had happened. */
  | 'its value'
  /** Null without an error. */
  | 'null'
  /** Null, with an error of this code, and this besides. `its own`: the number that the variant is called by. */
  | { readonly code: string; readonly status?: number | 'its own'; readonly retryAfter?: number };

export type Bound =
  /** It waits for nothing but the upstream, which does not let it wait. */
  | 'at once'
  /** It waits a moment between its tries. */
  | 'after its retries'
  /** It waits for what the upstream asks to wait. */
  | 'as long as it asks'
  | TimeSetting;

/** The setting of a time that runs out. */
export type TimeSetting =
  | 'REVOX_TIMEOUT_MS'
  | 'REVOX_CONNECT_TIMEOUT_MS'
  | 'REVOX_HEADERS_TIMEOUT_MS'
  | 'REVOX_BODY_TIMEOUT_MS'
  | 'REQUEST_DEADLINE_MS';

export type SubjectName = 'call' | 'call in full' | 'attempts' | 'assistant' | 'rows';

export interface Variant {
  /** Empty where there is only one. */
  readonly name: string;
  readonly wrong: FaultSource;
}

/** Where it goes wrong. */
export type FaultSource =
  /** In answers to the requests of the field. */
  | { readonly answer: FaultyResponder }
  /** In them too: they lead to another server, whose origin this is. Nobody may ever come there. */
  | { readonly leadTo: (origin: string) => FaultyResponder }
  /** With connections: then nothing else can be asked either. */
  | { readonly connection: FaultyConnection }
  /** Something else stands where the upstream was. */
  | { readonly instead: ReplacementServer };

/** Faults of one kind: a table of its own. */
export interface FaultGroup {
  readonly title: string;
  readonly faults: readonly Fault[];
}

/** What is promised of a fault, as far as it is not as with most. */
export type FaultExpectation = Pick<Fault, 'outcome'> &
  Partial<Omit<Fault, 'name' | 'variants' | 'requests'>> &
  SentRequests;

interface SentRequests {
  readonly requests?: number;
  /** The same request is sent again, as often as may be. */
  readonly isRetried?: boolean;
}

/** `REVOX_RETRIES` */
export const RETRIES = 2;

export function fault(name: string, wrong: FaultSource, promised: FaultExpectation): Fault {
  return faults(name, { '': wrong }, promised);
}

/** Several that are the same to whoever asks. */
export function faults(
  name: string,
  kinds: Readonly<Record<string, FaultSource>>,
  promised: FaultExpectation,
): Fault {
  const { isRetried = false, requests = isRetried ? 1 + RETRIES : 1, ...rest } = promised;
  const bound = isRetried ? 'after its retries' : 'at once';
  const variants = Object.entries(kinds).map(([kind, wrong]) => ({ name: kind, wrong }));
  return { name, variants, subject: 'call', bound, requests, ...rest };
}

/** A fault of answers. */
export function responseFault(
  name: string,
  answer: FaultyResponder,
  promised: FaultExpectation,
): Fault {
  return fault(name, { answer }, promised);
}

export function responseFaults(
  name: string,
  kinds: Readonly<Record<string, FaultyResponder>>,
  promised: FaultExpectation,
): Fault {
  return faults(
    name,
    Object.fromEntries(Object.entries(kinds).map(([kind, answer]) => [kind, { answer }])),
    promised,
  );
}
