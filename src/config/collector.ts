/**
 * The collector of traces, as OpenTelemetry's SDK derives it from its own variables
 * (https://opentelemetry.io/docs/specs/otel/protocol/exporter/). The SDK reads the variables itself:
 * these settings only serve to check that the collector can be reached.
 */
export interface CollectorSettings {
  /** With the path, except for gRPC. */
  readonly url: string;
  /** The variable that contains the URL; undefined: the SDK's default. */
  readonly urlVariable: string | undefined;
  readonly protocol: 'http/protobuf' | 'http/json' | 'grpc';
  /** May contain a secret. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whether the SDK trusts the certificates of a file, in place of those of Node.js. */
  readonly hasCertificateFile: boolean;
}

type OtelVariables = Readonly<Partial<Record<string, string | undefined>>>;

const TRACES_PATH = 'v1/traces';

/** @returns undefined if no traces are sent over OTLP, or a file says where */
export function toCollectorSettings(values: OtelVariables): CollectorSettings | undefined {
  const exporters = (values.OTEL_TRACES_EXPORTER ?? 'otlp').split(',').map((name) => name.trim());
  if (values.OTEL_CONFIG_FILE !== undefined || !exporters.includes('otlp')) return undefined;
  const protocol = toProtocol(
    values.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? values.OTEL_EXPORTER_OTLP_PROTOCOL,
  );
  return {
    ...toUrl(values, protocol === 'grpc'),
    protocol,
    headers: {
      ...parseHeaders(values.OTEL_EXPORTER_OTLP_HEADERS),
      ...parseHeaders(values.OTEL_EXPORTER_OTLP_TRACES_HEADERS),
    },
    hasCertificateFile:
      (values.OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE ?? values.OTEL_EXPORTER_OTLP_CERTIFICATE) !==
      undefined,
  };
}

/** The SDK uses its default for an unknown protocol, too. */
function toProtocol(protocol = ''): CollectorSettings['protocol'] {
  const name = protocol.trim();
  return name === 'grpc' || name === 'http/json' ? name : 'http/protobuf';
}

function toUrl(
  values: OtelVariables,
  isGrpc: boolean,
): Pick<CollectorSettings, 'url' | 'urlVariable'> {
  const urlVariable = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'].find(
    (name) => values[name] !== undefined,
  );
  const endpoint = values[urlVariable ?? '']?.trim();
  if (isGrpc) return { url: toGrpcUrl(endpoint ?? 'http://localhost:4317'), urlVariable };
  if (urlVariable === 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT' && endpoint)
    return { url: endpoint, urlVariable };
  const base = endpoint ?? 'http://localhost:4318';
  return { url: `${base.replace(/\/$/, '')}/${TRACES_PATH}`, urlVariable };
}

/**
 * gRPC addresses a collector without a scheme, too: `collector:4317`. Further variables then say
 * whether the connection is encrypted.
 */
function toGrpcUrl(endpoint: string): string {
  return /^https?:\/\//i.test(endpoint) ? endpoint : `http://${endpoint}`;
}

/** `name=value,name=value`, percent-encoded (W3C Baggage). A pair that is none is ignored. */
function parseHeaders(text = ''): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const pair of text.split(',')) {
    const [, name = '', value = ''] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
    if (name !== '' && value !== '') headers[decode(name)] = decode(value);
  }
  return headers;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
