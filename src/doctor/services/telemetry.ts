import { withTimeout } from '#cache/redis/with-timeout.ts';
import type { CollectorSettings } from '#config/collector.ts';
import type { Settings } from '#config/settings.ts';
import type { Finding } from '#doctor/finding.ts';
import { connectOnce, post } from '#rest/transport/post.ts';
import type { TransportResponse } from '#rest/transport/transport.ts';
import { toUserAgent } from '#rest/transport/user-agent.ts';
import { isWebPage } from '#rest/transport/web-page.ts';
import { explainConnectionError, isParserError, toCode } from './connection-cause.ts';
import { toClockDifference } from './date-header.ts';
import {
  CHECK_TIMEOUT_MS,
  CheckTimeoutError,
  type ServiceClock,
  SYSTEM_CLOCK,
  toMilliseconds,
  toSeconds,
} from './service-clock.ts';
import { redirectTarget, toTarget } from './service-url.ts';

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
  clock: ServiceClock = SYSTEM_CLOCK,
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
  const setting = collector.urlVariable ?? 'OTEL_EXPORTER_OTLP_ENDPOINT';
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
    const problem = explainResponse(response, collector, setting);
    if (problem) return [problem];
    return [
      ok(`The collector accepts an empty export within ${latency()}.`),
      ...checkClock(response, clock.now()),
    ];
  } catch (error) {
    const hint = isParserError(toCode(error))
      ? ' For a gRPC port, usually 4317, set OTEL_EXPORTER_OTLP_PROTOCOL=grpc.'
      : '';
    const cause = explainConnectionError(error, toTarget(new URL(collector.url), setting));
    return [finding(`${cause}${hint}`)];
  }
}

type ExportResponse = Pick<TransportResponse, 'status' | 'header' | 'body'>;

async function sendEmptyExport(
  { url, protocol, headers }: CollectorSettings,
  userAgent: string,
  { startTimer }: ServiceClock,
): Promise<ExportResponse> {
  const { contentType, body } =
    EMPTY_EXPORTS[protocol === 'http/json' ? protocol : 'http/protobuf'];
  const abortController = new AbortController();
  const response = await withTimeout(
    post({
      url,
      headers: { 'user-agent': userAgent, ...headers, 'content-type': contentType },
      body,
      signal: abortController.signal,
    }),
    CHECK_TIMEOUT_MS,
    startTimer,
  );
  if (response) return response;
  const timeout = new CheckTimeoutError();
  abortController.abort(timeout);
  throw timeout;
}

function explainResponse(
  response: ExportResponse,
  { protocol, urlVariable }: CollectorSettings,
  setting: string,
): Finding | undefined {
  const { status } = response;
  if (status >= 300 && status <= 399)
    return finding(
      `The collector redirects (${status})${redirectTarget(response)}, and the exporter follows no redirect: set ${setting} to the final URL.`,
    );
  if (status === 401 || status === 403)
    return finding(
      `The collector rejects the export (${status}): check OTEL_EXPORTER_OTLP_HEADERS, which carries its credential.`,
    );
  if (status === 404 || status === 405)
    return finding(
      urlVariable === 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'
        ? `The collector receives no traces at this path (${status}): OTEL_EXPORTER_OTLP_TRACES_ENDPOINT must contain the whole path, usually /v1/traces.`
        : `The collector receives no traces at this path (${status}): OTEL_EXPORTER_OTLP_ENDPOINT must not contain /v1/traces, which the exporter adds.`,
    );
  if (status === 415) {
    const other = protocol === 'http/json' ? 'http/protobuf' : 'http/json';
    return {
      ...finding(`The collector does not accept the protocol ${protocol} (415).`),
      settings: { OTEL_EXPORTER_OTLP_PROTOCOL: other },
    };
  }
  if (isWebPage(response))
    return finding(
      `The server returns a web page (${status}) and is no collector: check the host and the port of ${setting}.`,
    );
  if (status === 400)
    return unknown(
      'The collector can be reached, and rejects an export without spans (400): doctor cannot see whether it accepts others.',
    );
  return status <= 299 ? undefined : finding(`The collector returns ${status}.`);
}

function checkClock({ header }: ExportResponse, now: number): readonly Finding[] {
  const differenceMs = toClockDifference(header, now);
  if (differenceMs === undefined || Math.abs(differenceMs) <= MAX_CLOCK_DIFFERENCE_MS) return [];
  const direction = differenceMs > 0 ? 'ahead of' : 'behind';
  return [
    {
      check: 'otlp-clock',
      verdict: 'note',
      message: `The clock of the collector is ${toSeconds(differenceMs)} ${direction} the clock of this machine: spans of other services seem shifted by that.`,
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
