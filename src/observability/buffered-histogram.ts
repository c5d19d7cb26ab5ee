import { Histogram, type HistogramConfiguration } from 'prom-client';

/** Observes a value, with its labels in the order of their names. */
export type Observe<N extends readonly string[]> = (
  value: number,
  ...labels: { readonly [Index in keyof N]: string }
) => void;

export interface BufferedHistogramConfiguration<N extends readonly string[]>
  extends Pick<Required<HistogramConfiguration<string>>, 'name' | 'help' | 'registers'> {
  /** Upper bounds, in ascending order. */
  readonly buckets: readonly number[];
  readonly labelNames: N;
}

/** The observations with the same labels. */
interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** Observations of each bucket, without those of the lower buckets. */
  readonly counts: number[];
  count: number;
  sum: number;
}

/** A node of the label tree. */
interface Branch {
  readonly branches: Map<string, Branch>;
  series: Series | undefined;
}

/**
 * A histogram for observations that every operation makes. prom-client builds a string from the
 * labels on each observation, which takes longer than a map lookup, and its counts accept only one
 * observation at a time. So the counts are stored here, and prom-client reads them.
 */
export function createBufferedHistogram<const N extends readonly string[]>(
  configuration: BufferedHistogramConfiguration<N>,
): Observe<N> {
  const { name, help, registers, buckets, labelNames } = configuration;
  const root: Branch = { branches: new Map(), series: undefined };
  /** In order of first observation. */
  const allSeries: Series[] = [];
  // A histogram without labels has a single series, which exists from the start.
  if (labelNames.length === 0) root.series = addSeries([]);
  new BufferedHistogram(
    { name, help, registers, buckets: [...buckets], labelNames: [...labelNames] },
    () => allSeries.flatMap((series) => toMetricValues(name, buckets, series)),
  );
  return (value, ...labels) => {
    let branch = root;
    for (const label of labels) branch = childOf(branch, label);
    branch.series ??= addSeries(labels);
    const { series } = branch;
    series.sum += value;
    series.count += 1;
    const bucket = buckets.findIndex((bound) => value <= bound);
    if (bucket !== -1) series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
  };

  function addSeries(labels: readonly string[]): Series {
    const pairs = labelNames.map((labelName, index) => [labelName, labels[index] ?? '']);
    const series = {
      labels: Object.fromEntries(pairs),
      counts: buckets.map(() => 0),
      count: 0,
      sum: 0,
    };
    allSeries.push(series);
    return series;
  }
}

function childOf({ branches }: Branch, label: string): Branch {
  let branch = branches.get(label);
  if (!branch) {
    branch = { branches: new Map(), series: undefined };
    branches.set(label, branch);
  }
  return branch;
}

class BufferedHistogram extends Histogram {
  readonly #configuration: HistogramConfiguration<string>;
  readonly #read: () => readonly MetricValue[];

  constructor(configuration: HistogramConfiguration<string>, read: () => readonly MetricValue[]) {
    super(configuration);
    this.#configuration = configuration;
    this.#read = read;
  }

  /** prom-client renders a histogram from this method, which its types do not declare. */
  async getForPromString() {
    const { name, help } = this.#configuration;
    return { name, help, type: 'histogram', values: this.#read(), aggregator: 'sum' };
  }
}

/** The value format of prom-client. */
interface MetricValue {
  readonly metricName: string;
  readonly labels: { readonly le?: number | '+Inf' };
  /**
   * The same object for all values of a series: prom-client caches the string of its labels by
   * identity.
   */
  readonly sharedLabels: Series['labels'];
  readonly value: number;
}

function toMetricValues(
  name: string,
  buckets: readonly number[],
  { labels: sharedLabels, counts, count, sum }: Series,
): MetricValue[] {
  let cumulativeCount = 0;
  const values = buckets.map((le, bucket): MetricValue => {
    cumulativeCount += counts[bucket] ?? 0;
    return { metricName: `${name}_bucket`, labels: { le }, sharedLabels, value: cumulativeCount };
  });
  return [
    ...values,
    { metricName: `${name}_bucket`, labels: { le: '+Inf' }, sharedLabels, value: count },
    { metricName: `${name}_sum`, labels: {}, sharedLabels, value: sum },
    { metricName: `${name}_count`, labels: {}, sharedLabels, value: count },
  ];
}
