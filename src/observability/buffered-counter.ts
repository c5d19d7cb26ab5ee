import { Counter, type CounterConfiguration } from 'prom-client';

/** Counts one more of these two labels. */
export type BufferedCounter = (first: string, second: string) => void;

/**
 * A counter of two labels for what is counted many times an operation. prom-client makes a text of the labels each time, which takes longer
 * than to look up what they stand for: so it is told only when somebody reads.
 */
export function createBufferedCounter<L extends string>(
  configuration: Omit<CounterConfiguration<L>, 'labelNames'> & { readonly labelNames: readonly [L, L] },
): BufferedCounter {
  const { labelNames } = configuration;
  const [firstLabel, secondLabel] = labelNames;
  /** Since it was last read. */
  const countsByFirst = new Map<string, Map<string, number>>();
  new Counter<string>({
    ...configuration,
    collect() {
      for (const [one, countsBySecond] of countsByFirst) {
        for (const [other, count] of countsBySecond) this.inc({ [firstLabel]: one, [secondLabel]: other }, count);
      }
      countsByFirst.clear();
    },
  });
  return (one, other) => {
    let others = countsByFirst.get(one);
    if (!others) {
      others = new Map();
      countsByFirst.set(one, others);
    }
    others.set(other, (others.get(other) ?? 0) + 1);
  };
}
