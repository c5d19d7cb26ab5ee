import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client';
import {
  type EventLoopLag,
  type EventLoopLagOptions,
  EventLoopLagSampler,
} from './event-loop-lag.ts';

const LAG = 'nodejs_eventloop_lag_seconds';

/** Name, help text and aggregation of prom-client. */
const LAG_METRICS: readonly {
  readonly name: string;
  readonly help: string;
  readonly aggregator: 'min' | 'max' | 'average';
  readonly value: keyof EventLoopLag;
}[] = [
  {
    name: 'nodejs_eventloop_lag_min_seconds',
    help: 'The minimum recorded event loop delay.',
    aggregator: 'min',
    value: 'min',
  },
  {
    name: 'nodejs_eventloop_lag_max_seconds',
    help: 'The maximum recorded event loop delay.',
    aggregator: 'max',
    value: 'max',
  },
  {
    name: 'nodejs_eventloop_lag_mean_seconds',
    help: 'The mean of the recorded event loop delays.',
    aggregator: 'average',
    value: 'mean',
  },
  {
    name: 'nodejs_eventloop_lag_stddev_seconds',
    help: 'The standard deviation of the recorded event loop delays.',
    aggregator: 'average',
    value: 'stddev',
  },
  {
    name: 'nodejs_eventloop_lag_p50_seconds',
    help: 'The 50th percentile of the recorded event loop delays.',
    aggregator: 'average',
    value: 'p50',
  },
  {
    name: 'nodejs_eventloop_lag_p90_seconds',
    help: 'The 90th percentile of the recorded event loop delays.',
    aggregator: 'average',
    value: 'p90',
  },
  {
    name: 'nodejs_eventloop_lag_p99_seconds',
    help: 'The 99th percentile of the recorded event loop delays.',
    aggregator: 'average',
    value: 'p99',
  },
];

/** Longest interval of a timer of Node.js: 24 days. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Adds the metrics of the process to a registry: its memory, its event loop, its garbage
 * collections. This starts observers that cannot be stopped.
 * @returns the sampler of the event loop, to be called with each activity
 */
export function addProcessMetrics(
  registry: Registry,
  options: EventLoopLagOptions,
): EventLoopLagSampler {
  const { monotonicNow } = options;
  const lagSampler = new EventLoopLagSampler(options);
  // prom-client has no option to leave out its event-loop monitor, which wakes the process every
  // 10 ms for as long as it lives. With this interval the monitor does not wake it.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: MAX_TIMER_MS });
  for (const name of [LAG, ...LAG_METRICS.map((metric) => metric.name)])
    registry.removeSingleMetric(name);

  const registers = [registry];
  let immediateLagSeconds = 0;
  // The first of the lag metrics: a read of the metrics collects them in this order.
  new Gauge({
    name: LAG,
    help: 'Lag of event loop in seconds.',
    aggregator: 'average',
    registers,
    collect() {
      const startedAt = monotonicNow();
      setImmediate(() => {
        immediateLagSeconds = (monotonicNow() - startedAt) / 1000;
      });
      this.set(immediateLagSeconds);
      const lag = lagSampler.take();
      for (const { value, gauge } of gauges) gauge.set(lag[value]);
    },
  });
  const gauges = LAG_METRICS.map(({ value, ...metric }) => ({
    value,
    gauge: new Gauge({ ...metric, registers }),
  }));
  return lagSampler;
}
