import { Counter, type CounterConfiguration } from 'prom-client';

/** Counts one more of these two labels. */
export type Tally = (first: string, second: string) => void;

/**
 * A counter of two labels for what is counted many times an operation. prom-client makes a text of the labels each time, which takes longer
 * than to look up what they stand for: so it is told only when somebody reads.
 */
export function createTally<L extends string>(
  configuration: Omit<CounterConfiguration<L>, 'labelNames'> & { readonly labelNames: readonly [L, L] },
): Tally {
  const { labelNames } = configuration;
  const [first, second] = labelNames;
  /** Since it was last read. */
  const counts = new Map<string, Map<string, number>>();
  new Counter<string>({
    ...configuration,
    collect() {
      for (const [one, others] of counts) {
        for (const [other, count] of others) this.inc({ [first]: one, [second]: other }, count);
      }
      counts.clear();
    },
  });
  return (one, other) => {
    let others = counts.get(one);
    if (!others) {
      others = new Map();
      counts.set(one, others);
    }
    others.set(other, (others.get(other) ?? 0) + 1);
  };
}
