import {
  type ArgumentRule,
  checkArgument,
  checkOptions,
  FLAG,
  FUNCTION,
  isObject,
  objectWith,
} from '#check-arguments.ts';
import type { ExampleOperation } from '#http/example-operation.ts';
import type { Log } from '#observability/log.ts';
import type { TracerProvider } from '#observability/tracing.ts';

/** What code that embeds the gateway may replace. */
export interface GatewayOptions {
  /** Sends an upstream request. @default real sockets */
  readonly fetch?: (request: Request) => Promise<Response>;
  /** Fetches the keys of the issuer of bearer tokens. @default real sockets */
  readonly fetchKeys?: (request: Request) => Promise<Response>;
  /** Operations for GraphiQL's tabs. @default operations that need no id */
  readonly exampleOperations?: readonly ExampleOperation[];
  /** The log. @default lines on the standard output, as the settings say */
  readonly log?: Log;
  /**
   * Creates spans. @default the provider that the process has registered with OpenTelemetry's API
   */
  readonly tracerProvider?: TracerProvider;
  /**
   * Whether `/metrics` includes metrics of the process. Only where the gateway is all there is in
   * the process. @default false
   */
  readonly processMetrics?: boolean;
  /**
   * Whether warm operations take the fast path past Yoga; the responses are the same. @default true
   */
  readonly fastPath?: boolean;
  /**
   * Whether the fast path executes operations by plans, without graphql-js where possible; the
   * responses are the same. @default true
   */
  readonly plannedExecution?: boolean;
  /**
   * Whether whole responses are cached, beside the upstream responses that they are made of.
   * @default true
   */
  readonly responseCache?: boolean;
  /** Current time, in ms. */
  readonly now?: () => number;
  /** Monotonic clock, in ms and fractions of it; it never goes back. */
  readonly monotonicNow?: () => number;
  /** Calls back after a time in ms; returns the function that cancels that. */
  readonly startTimer?: (ms: number, onTime: () => void) => () => void;
  /** Random number, 0 to 1, for jitter: clients that failed together must not retry together. */
  readonly random?: () => number;
}

const SETTINGS: ArgumentRule = {
  expected: 'the settings that `readSettings()` returns',
  accepts: (value) => isObject(value) && isObject(value.revox),
};

const OPTIONS: { readonly [Name in keyof Required<GatewayOptions>]: ArgumentRule } = {
  fetch: FUNCTION,
  fetchKeys: FUNCTION,
  exampleOperations: { expected: 'an array', accepts: Array.isArray },
  log: objectWith(
    ['info', 'error', 'unexpected'],
    'an object with the methods info, error and unexpected',
  ),
  tracerProvider: objectWith(['getTracer'], 'a provider of OpenTelemetry, with a method getTracer'),
  processMetrics: FLAG,
  fastPath: FLAG,
  plannedExecution: FLAG,
  responseCache: FLAG,
  now: FUNCTION,
  monotonicNow: FUNCTION,
  startTimer: FUNCTION,
  random: FUNCTION,
};

/** @throws TypeError */
export function checkGatewayArguments(settings: unknown, options: unknown): void {
  checkArgument('The first argument of createGateway', settings, SETTINGS);
  checkOptions('createGateway', options, OPTIONS);
}
