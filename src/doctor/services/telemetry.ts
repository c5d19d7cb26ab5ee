import type { CollectorSettings } from '#config/collector.ts';
import type { Settings } from '#config/settings.ts';
import type { Finding } from '#doctor/finding.ts';
import { explainFailure } from '#errors/describe-failure.ts';
import type { FailingServer } from '#errors/failing-server.ts';
import { toStatusCause, toTransportCause } from '#errors/failure-cause.ts';
import { toClockDifference } from '#rest/transport/date-header.ts';
import { connectOnce, post } from '#rest/transport/post.ts';
import type { TransportResponse } from '#rest/transport/transport.ts';
import { toUserAgent } from '#rest/transport/user-agent.ts';
import { isWebPage } from '#rest/transport/web-page.ts';
import {
  CHECK_TIMEOUT,
  CHECK_TIMEOUT_MS,
  limitTime,
  type ServiceClock,
  toClockOffset,
  toMilliseconds,
} from './service-clock.ts';

const CHECK = 'otlp-connection';
const CONSEQUENCE = 'The gateway works, and its traces are lost.';

/** An export request without spans, which is legal: a collector accepts it and stores nothing. */
const EMPTY_EXPORTS = {
  'http/protobuf': { contentType: 'application/x-protobuf', body: '' },
  'http/json': { contentType: 'application/json', body: '{"resourceSpans":[]}' },
} as const;

/** Clocks agree within this difference, in ms. */
const MAX_CLOCK_DIFFERENCE_MS = 5_000;

/**
 * Checks the collector of traces: with one empty export over HTTP, or with one connection for gRPC.
 */
export async function checkTelemetry(
  { tracing: { isEnabled, collector }, revox }: Settings,
  clock: ServiceClock,
): Promise<readonly Finding[]> {
  if (!isEnabled) return [];
  if (!collector)
    return [
      unknown(
        'OTEL_CONFIG_FILE or OTEL_TRACES_EXPORTER says where traces go, and doctor checks only the OTLP endpoints of OTEL_EXPORTER_OTLP_… variables.',
      ),
    ];
  if (collector.hasCertificateFile && /^https:/i.test(collector.url))
    return [
      unknown(
        'OTEL_EXPORTER_OTLP_CERTIFICATE names the trusted certificates, and doctor does not read them: the collector is not checked.',
      ),
    ];
  const server = toServer(collector);
  const sentAt = clock.monotonicNow();
  const latency = () => toMilliseconds(clock.monotonicNow() - sentAt);
  try {
    if (collector.protocol === 'grpc') {
      await connectOnce(collector.url, CHECK_TIMEOUT_MS);
      return [
        ok(`The collector accepts connections (${latency()}). Doctor sends no gRPC request.`),
      ];
    }
    const response = await sendEmptyExport(collector, toUserAgent(revox.userAgentComment), clock);
    const problem = explainResponse(response, collector, server);
    if (problem) return [problem];
    return [
      ok(`The collector accepts an empty export within ${latency()}.`),
      ...checkClock(response, clock.now()),
    ];
  } catch (error) {
    const cause = toTransportCause(error);
    const hint =
      cause.kind === 'invalid-response'
        ? ' For a gRPC port, usually 4317, set OTEL_EXPORTER_OTLP_PROTOCOL=grpc.'
        : '';
    return [finding(`${explainFailure(cause, server)}${hint}`)];
  }
}

/** The exporters use no proxy. */
function toServer({ url, urlVariable }: CollectorSettings): FailingServer {
  return {
    url,
    urlSetting: urlVariable ?? 'OTEL_EXPORTER_OTLP_ENDPOINT',
    canUseProxy: false,
    format: 'an OTLP response',
    timeouts: { connect: CHECK_TIMEOUT, response: CHECK_TIMEOUT },
    pathAdvice:
      urlVariable === 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'
        ? 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT must contain the whole path, usually /v1/traces.'
        : 'OTEL_EXPORTER_OTLP_ENDPOINT must not contain /v1/traces, which the exporter adds.',
  };
}

type ExportResponse = Pick<TransportResponse, 'status' | 'header' | 'body'>;

async function sendEmptyExport(
  { url, protocol, headers }: CollectorSettings,
  userAgent: string,
  clock: ServiceClock,
): Promise<ExportResponse> {
  const { contentType, body } =
    EMPTY_EXPORTS[protocol === 'http/json' ? protocol : 'http/protobuf'];
  const abortController = new AbortController();
  const response = post({
    url,
    headers: { 'user-agent': userAgent, ...headers, 'content-type': contentType },
    body,
    signal: abortController.signal,
  });
  try {
    return await limitTime(response, clock);
  } finally {
    abortController.abort();
  }
}

function explainResponse(
  response: ExportResponse,
  { protocol }: CollectorSettings,
  server: FailingServer,
): Finding | undefined {
  const { status, header } = response;
  if (status === 401 || status === 403)
    return finding(
      `The collector rejects the export (${status}): check OTEL_EXPORTER_OTLP_HEADERS, which carries its credential.`,
    );
  if (status === 415) {
    const other = protocol === 'http/json' ? 'http/protobuf' : 'http/json';
    return {
      ...finding(`The collector does not accept the protocol ${protocol} (415).`),
      settings: { OTEL_EXPORTER_OTLP_PROTOCOL: other },
    };
  }
  // Another server at this path, which accepts no POST.
  const cause = toStatusCause(status === 405 ? 404 : status, header('location'), server.url);
  if (cause) return finding(explainFailure({ ...cause, status }, server));
  if (isWebPage(response)) return finding(explainFailure({ kind: 'web-page', status }, server));
  if (status === 400)
    return unknown(
      'The collector can be reached, and rejects an export without spans (400): doctor cannot see whether it accepts others.',
    );
  return status <= 299 ? undefined : finding(`The collector returns ${status}.`);
}

function checkClock({ header }: ExportResponse, now: number): readonly Finding[] {
  const differenceMs = toClockDifference(header, now);
  if (differenceMs === undefined || Math.abs(differenceMs) <= MAX_CLOCK_DIFFERENCE_MS) return [];
  return [
    {
      check: 'otlp-clock',
      verdict: 'note',
      message: `The clock of the collector is ${toClockOffset(differenceMs)}: spans of other services seem shifted by that.`,
      details: { differenceMs: Math.round(differenceMs) },
    },
  ];
}

function ok(message: string): Finding {
  return { check: CHECK, verdict: 'ok', message };
}

function finding(message: string): Finding {
  return { check: CHECK, verdict: 'finding', message: `${message} ${CONSEQUENCE}` };
}

function unknown(message: string): Finding {
  return { check: CHECK, verdict: 'unknown', message };
}
