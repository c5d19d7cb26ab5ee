/** A value of the upstream's that the schema does not know, as told in `extensions.unrecognized`. */
export interface Unrecognized {
  /** The GraphQL type that has the field. */
  readonly type: string;
  readonly field: string;
  /** The raw value, cut to 100 characters. */
  readonly value: string;
}

/** In which way a field that was asked for was not as documented. */
export type DriftKind =
  /** Of another type, and read all the same: a number as text. */
  | 'coerced'
  /** Missing, and made from what other versions of the API say instead. */
  | 'derived'
  /** An item of the list that cannot be read: it is left out. */
  | 'dropped'
  /** Missing, though the documents require it. */
  | 'missing'
  /** Null, though the documents do not allow that. */
  | 'null'
  /** Of a kind that cannot be read: it became null. */
  | 'unreadable'
  /** A value, or a kind of object, that the schema does not know. */
  | 'unrecognized';

/** Hears of everything in an answer that is not as documented. */
export interface DriftReporter {
  reportUnrecognized(type: string, field: string, value: string): void;
  /** `type` and `field` are the schema's own names: there are only so many of them. */
  report(kind: DriftKind, type: string, field: string): void;
}
