import { Counter, type CounterConfiguration } from 'prom-client';

/** Increments the counter for these two labels. */
export type BufferedCounter = (first: string, second: string) => void;

/**
 * A counter with two labels for events that occur many times in an operation. prom-client builds a
 * string from the labels on each increment, which takes longer than a map lookup, so the increments
 * are buffered until the metrics are read.
 */
export function createBufferedCounter<L extends string>(
  configuration: Omit<CounterConfiguration<L>, 'labelNames'> & {
    readonly labelNames: readonly [L, L];
  },
): BufferedCounter {
  const { labelNames } = configuration;
  const [firstLabel, secondLabel] = labelNames;
  /** Increments since the last read. */
  const countsByFirst = new Map<string, Map<string, number>>();
  new Counter<string>({
    ...configuration,
    collect() {
      for (const [first, countsBySecond] of countsByFirst) {
        for (const [second, count] of countsBySecond)
          this.inc({ [firstLabel]: first, [secondLabel]: second }, count);
      }
      countsByFirst.clear();
    },
  });
  return (first, second) => {
    let countsBySecond = countsByFirst.get(first);
    if (!countsBySecond) {
      countsBySecond = new Map();
      countsByFirst.set(first, countsBySecond);
    }
    countsBySecond.set(second, (countsBySecond.get(second) ?? 0) + 1);
  };
}
