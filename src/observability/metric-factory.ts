import { Counter, Gauge, type Registry } from 'prom-client';
import { type BufferedCounter, createBufferedCounter } from './buffered-counter.ts';
import { createBufferedHistogram } from './buffered-histogram.ts';

const PREFIX = 'revox_gateway_';

/** Creates metrics in one registry. All names get the prefix `revox_gateway_`. */
export interface MetricFactory {
  counter<L extends string>(name: string, help: string, labelNames?: readonly L[]): Counter<L>;
  /** For events that occur many times in an operation. */
  bufferedCounter<L extends string>(
    name: string,
    help: string,
    labelNames: readonly [L, L],
  ): BufferedCounter;
  /** @param buckets upper bounds, in seconds */
  histogram<const N extends readonly string[]>(
    name: string,
    help: string,
    buckets: readonly number[],
    labelNames: N,
  ): ReturnType<typeof createBufferedHistogram<N>>;
  /** @param read called on each read of the metrics */
  gauge(name: string, help: string, read: () => number): void;
  /** @param set called on each read of the metrics; sets the value of each series */
  labelledGauge<L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    set: (gauge: Gauge<L>) => void,
  ): void;
}

export function createMetricFactory(registry: Registry): MetricFactory {
  const registers = [registry];
  return {
    counter: (name, help, labelNames = []) =>
      new Counter({ name: PREFIX + name, help, labelNames, registers }),
    bufferedCounter: (name, help, labelNames) =>
      createBufferedCounter({ name: PREFIX + name, help, labelNames, registers }),
    histogram: (name, help, buckets, labelNames) =>
      createBufferedHistogram({ name: PREFIX + name, help, buckets, labelNames, registers }),
    gauge(name, help, read) {
      new Gauge({
        name: PREFIX + name,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    },
    labelledGauge(name, help, labelNames, set) {
      new Gauge({
        name: PREFIX + name,
        help,
        labelNames,
        registers,
        collect() {
          set(this);
        },
      });
    },
  };
}
