import { Histogram, type HistogramConfiguration } from 'prom-client';

/** Observes a value, with its labels in the order of their names. */
export type Observe<N extends readonly string[]> = (value: number, ...labels: { readonly [Index in keyof N]: string }) => void;

export interface BufferedHistogramConfiguration<N extends readonly string[]>
  extends Pick<Required<HistogramConfiguration<string>>, 'name' | 'help' | 'registers'> {
  /** From the least to the greatest. */
  readonly buckets: readonly number[];
  readonly labelNames: N;
}

/** What was observed with the same labels. */
interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** By bucket, and of each those alone that no lesser one has. */
  readonly counts: number[];
  count: number;
  sum: number;
}

/** What the labels so far lead to. */
interface Branch {
  readonly branches: Map<string, Branch>;
  series: Series | undefined;
}

/**
 * A histogram for what is observed with every operation. prom-client makes a text of the labels each time, which takes longer than to look up
 * what they stand for; and nothing can be added to its counts but by one observation at a time. So they are kept here, and it reads them.
 */
export function createBufferedHistogram<const N extends readonly string[]>(
  configuration: BufferedHistogramConfiguration<N>,
): Observe<N> {
  const { name, help, registers, buckets, labelNames } = configuration;
  const root: Branch = { branches: new Map(), series: undefined };
  /** In the order in which they were seen first. */
  const allSeries: Series[] = [];
  // Without labels there is nothing to wait for.
  if (labelNames.length === 0) root.series = addSeries([]);
  new BufferedHistogram({ name, help, registers, buckets: [...buckets], labelNames: [...labelNames] }, () =>
    allSeries.flatMap((series) => toMetricValues(name, buckets, series)),
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
    const series = { labels: Object.fromEntries(pairs), counts: buckets.map(() => 0), count: 0, sum: 0 };
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

  /** Of this, which its types do not tell of, prom-client makes all that it tells of a histogram. */
  async getForPromString() {
    const { name, help } = this.#configuration;
    return { name, help, type: 'histogram', values: this.#read(), aggregator: 'sum' };
  }
}

/** As prom-client has them. */
interface MetricValue {
  readonly metricName: string;
  readonly labels: { readonly le?: number | '+Inf' };
  /** The same object for all of a series: by it prom-client remembers their text. */
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
