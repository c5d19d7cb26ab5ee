/** A value of the upstream's that the schema does not know, as told in `extensions.unrecognized`. */
export interface Unrecognized {
  /** The GraphQL type that has the field. */
  readonly type: string;
  readonly field: string;
  /** The raw value, cut to 100 characters. */
  readonly value: string;
}

/** Hears of everything in an answer that is not as documented. */
export interface OddityReport {
  unrecognized(type: string, field: string, value: string): void;
  /** A value that could not be read and became null, or an item that was dropped. */
  unreadable(type: string, field: string): void;
}
