import type { LinkedPath, ResponsePath } from './response-path.ts';

/** An upstream value that the schema does not know, as reported in `extensions.unrecognized`. */
export interface Unrecognized {
  /** The GraphQL type that has the field. */
  readonly type: string;
  readonly field: string;
  /** The raw value, truncated to 100 characters. */
  readonly value: string;
  /** The paths of the fields with this value; bounded, so some may be missing. */
  readonly paths: readonly ResponsePath[];
}

/** How a selected field differs from the API documentation. */
export type DriftKind =
  /** The value has another type, but is readable: a number as a string. */
  | 'coerced'
  /**
   * The key is missing, or null although the documentation does not allow it. Its value is derived
   * from keys that other versions of the API use instead.
   */
  | 'derived'
  /** A list item is null or unreadable, and is left out of the list. */
  | 'dropped'
  /** The key is missing, although the documentation requires it. */
  | 'missing'
  /** The value is null, although the documentation does not allow it. */
  | 'null'
  /** The value has a type that is not readable: it became null. */
  | 'unreadable'
  /** The schema does not know the value or the kind of object. */
  | 'unrecognized';

/** Observes every difference between an upstream response and the API documentation. */
export interface DriftReporter {
  reportUnrecognized(type: string, field: string, value: string, path: LinkedPath): void;
  /** `type` and `field` are the schema's own names: their number is bounded. */
  report(kind: DriftKind, type: string, field: string): void;
}
