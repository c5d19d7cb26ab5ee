import type { DriftKind } from '#extensions.ts';
import type { LinkedPath } from './response-path.ts';

/** Observes every difference between an upstream response and the API documentation. */
export interface DriftReporter {
  reportUnrecognized(type: string, field: string, value: string, path: LinkedPath): void;
  /** `type` and `field` are the schema's own names: their number is bounded. */
  report(kind: DriftKind, type: string, field: string): void;
}
