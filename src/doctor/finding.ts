/**
 * - `ok`: as the gateway expects it.
 * - `note`: worth knowing; the gateway handles it.
 * - `finding`: the gateway works, but a setting or the upstream needs attention.
 * - `failure`: the gateway will not work.
 * - `unknown`: the data or the budget of requests does not allow a verdict.
 */
export type Verdict = 'ok' | 'note' | 'finding' | 'failure' | 'unknown';

/** The result of one check. It contains neither keys nor values of the API's objects. */
export interface Finding {
  /** In kebab case. */
  readonly check: string;
  readonly verdict: Verdict;
  /** Plain sentences, mostly one. */
  readonly message: string;
  /** Settings to use, by the name of the variable. */
  readonly settings?: Readonly<Record<string, string>>;
  /** No further check of the upstream follows, so that the run gives no verdict on it. */
  readonly endsChecks?: boolean;
  /** For `--json` only. */
  readonly details?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
}

/** Receives each finding as soon as it is known. */
export type AddFinding = (finding: Finding) => void;
