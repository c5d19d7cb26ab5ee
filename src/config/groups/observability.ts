import { z } from 'zod';
import { type CollectorSettings, toCollectorSettings } from '#config/collector.ts';
import {
  oneOf,
  optionalVariable,
  SWITCH,
  type Values,
  type VariableGroup,
  variable,
} from '#config/variable.ts';

/** The variables below state each meaning. */
export interface ObservabilitySettings {
  readonly log: {
    readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
    readonly format: 'json' | 'text';
    readonly personalData: boolean;
  };
  readonly tracing: {
    /**
     * Whether the process sends traces: OpenTelemetry's own variables say so. Its SDK reads the
     * rest of them.
     */
    readonly isEnabled: boolean;
    /** Whether these variables contain the name of the service. */
    readonly hasServiceName: boolean;
    /** Where the SDK sends traces; undefined if these variables alone do not say it. */
    readonly collector: CollectorSettings | undefined;
  };
  readonly graphiql: boolean;
  readonly introspection: boolean;
  readonly upstreamTrace: boolean;
}

const OFF_IN_PRODUCTION = '`on`; `off` with `NODE_ENV=production`';

/** OpenTelemetry's variables that name a collector. Its SDK silently uses a default instead. */
export const COLLECTOR_ENDPOINTS = [
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
] as const;

const variables = {
  LOG_LEVEL: variable(
    oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    'info',
    'The least severe level that is logged.',
  ),
  LOG_FORMAT: optionalVariable(
    oneOf('json', 'text'),
    '`json`: one object a line; `text`: for people.',
    '`text`; `json` with `NODE_ENV=production`',
  ),
  LOG_PERSONAL_DATA: variable(SWITCH, 'off', '`on`: the log contains documents and variables.'),
  OTEL_SDK_DISABLED: z.string().optional(),
  OTEL_TRACES_EXPORTER: z.string().optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.string().optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z.string().optional(),
  OTEL_EXPORTER_OTLP_PROTOCOL: z.string().optional(),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: z.string().optional(),
  OTEL_EXPORTER_OTLP_HEADERS: z.string().optional(),
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: z.string().optional(),
  OTEL_EXPORTER_OTLP_CERTIFICATE: z.string().optional(),
  OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE: z.string().optional(),
  OTEL_CONFIG_FILE: z.string().optional(),
  OTEL_SERVICE_NAME: z.string().optional(),
  OTEL_RESOURCE_ATTRIBUTES: z.string().optional(),
  GRAPHIQL: optionalVariable(SWITCH, 'The GraphiQL page.', OFF_IN_PRODUCTION),
  INTROSPECTION: optionalVariable(SWITCH, 'Introspection of the schema.', OFF_IN_PRODUCTION),
  UPSTREAM_TRACE: optionalVariable(
    SWITCH,
    '[`extensions.upstream`](extensions.md) for requests that ask for it.',
    OFF_IN_PRODUCTION,
  ),
  NODE_ENV: z.string().optional(),
};

export const observability = {
  title: 'Logs, traces and tools',
  variables,
  foreignVariables: [
    {
      names: ['OTEL_…'],
      meaning: 'The variables of OpenTelemetry: see [traces](../operations/monitoring.md#traces).',
      accepts: 'as OpenTelemetry defines',
      default: 'no traces',
    },
  ],
} satisfies VariableGroup;

export function toObservabilitySettings(values: Values<typeof variables>): ObservabilitySettings {
  const isProduction = values.NODE_ENV === 'production';
  return {
    log: {
      level: values.LOG_LEVEL,
      format: values.LOG_FORMAT ?? (isProduction ? 'json' : 'text'),
      personalData: values.LOG_PERSONAL_DATA === 'on',
    },
    tracing: toTracingSettings(values),
    graphiql: isOn(values.GRAPHIQL, !isProduction),
    introspection: isOn(values.INTROSPECTION, !isProduction),
    upstreamTrace: isOn(values.UPSTREAM_TRACE, !isProduction),
  };
}

function toTracingSettings(values: Values<typeof variables>): ObservabilitySettings['tracing'] {
  return {
    isEnabled: isTracingEnabled(values),
    hasServiceName:
      values.OTEL_SERVICE_NAME !== undefined ||
      /(^|,)\s*service\.name\s*=/.test(values.OTEL_RESOURCE_ATTRIBUTES ?? ''),
    collector: isTracingEnabled(values) ? toCollectorSettings(values) : undefined,
  };
}

/**
 * OpenTelemetry's variables have their usual meaning. Where none of these is set, its SDK is not
 * even loaded.
 */
export function isTracingEnabled(
  values: Readonly<Partial<Record<string, string | undefined>>>,
): boolean {
  const exporters =
    values.OTEL_TRACES_EXPORTER ??
    (values.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || values.OTEL_EXPORTER_OTLP_ENDPOINT);
  const isOff =
    values.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true' ||
    values.OTEL_TRACES_EXPORTER?.trim() === 'none';
  return !isOff && (exporters ?? values.OTEL_CONFIG_FILE) !== undefined;
}

/** gRPC addresses a collector without a scheme, too: `collector:4317`. */
export function isCollectorEndpoint(endpoint: string, protocol = ''): boolean {
  const text = endpoint.trim();
  if (protocol.trim() === 'grpc' && /^[\w.-]+:\d{1,5}$/.test(text)) return true;
  return /^https?:\/\//i.test(text) && URL.canParse(text);
}

function isOn(value: 'on' | 'off' | undefined, defaultValue: boolean): boolean {
  return value === undefined ? defaultValue : value === 'on';
}
