import { median, quantile } from '../harness/median.ts';
import { toTable } from '../harness/report.ts';

/** A figure that this gateway should reach, and what was measured. The page calls it a target. */
export interface Goal {
  readonly figure: string;
  readonly target: string;
  readonly seen: string;
  readonly isMet: boolean;
}

export interface GoalOptions {
  /** Decimals of the measured figure; the median is compared as measured. */
  readonly digits?: number;
  /** With its leading space. */
  readonly unit?: string;
}

const HEAD = ['figure', 'target', 'seen: median (quartiles)', 'result', 'part'];

/** The median of the samples must not be greater than the limit. */
export function atMost(
  figure: string,
  limit: number,
  samples: readonly number[],
  options: GoalOptions = {},
): Goal {
  return toGoal(
    figure,
    `≤ ${limit}${options.unit ?? ''}`,
    median(samples) <= limit,
    samples,
    options,
  );
}

/** The median of the samples must be less than the limit. */
export function below(
  figure: string,
  limit: number,
  samples: readonly number[],
  options: GoalOptions = {},
): Goal {
  return toGoal(
    figure,
    `< ${limit}${options.unit ?? ''}`,
    median(samples) < limit,
    samples,
    options,
  );
}

/** The quotients of the measurements of each round. */
export function ratios(values: readonly number[], references: readonly number[]): number[] {
  return values.map((value, index) => value / (references[index] ?? Number.NaN));
}

/** With the quartiles if there is more than one sample. */
export function toSpread(samples: readonly number[], digits = 2): string {
  const [low, middle, high] = [0.25, 0.5, 0.75].map((share) =>
    quantile(samples, share).toFixed(digits),
  );
  return low === high ? `${middle}` : `${middle} (${low}–${high})`;
}

/**
 * The goals of each measured part, below each other. Rows of an earlier table that other parts have
 * written stay.
 * @param earlier the table in the page, or text without one
 */
export function toGoalsTable(goals: ReadonlyMap<string, readonly Goal[]>, earlier: string): string {
  const rows = [...goals].flatMap(([part, ofPart]) =>
    ofPart.map(({ figure, target, seen, isMet }) => [
      figure,
      target,
      seen,
      isMet ? 'met' : '**missed**',
      part,
    ]),
  );
  const others = parseRows(earlier).filter(([, , , , part]) => part && !goals.has(part));
  return toTable(HEAD, [...rows, ...others]);
}

function toGoal(
  figure: string,
  target: string,
  isMet: boolean,
  samples: readonly number[],
  { digits = 2, unit = '' }: GoalOptions,
): Goal {
  return { figure, target, seen: `${toSpread(samples, digits)}${unit}`, isMet };
}

function parseRows(table: string): string[][] {
  const [, , ...lines] = table.split('\n').filter((line) => line.startsWith('| '));
  return lines.map((line) => line.slice(2, -2).split(' | '));
}
