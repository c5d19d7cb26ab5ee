import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { type Environment, readSettings } from '#config/settings.ts';
import { checkTelemetry } from '#doctor/services/telemetry.ts';
import { listen, listenTcp } from '../rest/real-server.ts';
import { freePort } from '../sockets/demo-process.ts';
import { createServiceClock, dateHeader, toLines } from './service-check.ts';

const CONSEQUENCE = 'The gateway works, and its traces are lost.';
const ACCEPTED = 'ok otlp-connection: The collector accepts an empty export within 0.0 ms.';
const HEADERS = 'authorization=Bearer%20a-secret';

const check = (settings: Environment) =>
  checkTelemetry(readSettings(settings), createServiceClock().clock);

interface Received {
  readonly line: string;
  readonly type: string | undefined;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** A collector with one response, and what it has received. */
async function startCollector(respond: (response: ServerResponse) => void) {
  const received: Received[] = [];
  const server = await listen(async (response, request: IncomingMessage) => {
    const { method, url, headers } = request;
    received.push({
      line: `${method} ${url}`,
      type: headers['content-type'],
      authorization: headers.authorization,
      body: String(await buffer(request)),
    });
    respond(response);
  });
  return { ...server, received, [Symbol.asyncDispose]: server[Symbol.asyncDispose] };
}

async function linesOf(
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body = '',
  settings: (origin: string) => Environment = (origin) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: origin }),
): Promise<string[]> {
  await using collector = await startCollector((response) =>
    response.writeHead(status, { ...dateHeader(0), ...headers }).end(body),
  );
  const lines = toLines(
    await check({ ...settings(collector.origin), OTEL_EXPORTER_OTLP_HEADERS: HEADERS }),
  );
  expect(collector.received).toHaveLength(1);
  return lines.map((line) => line.replace(`127.0.0.1:${collector.port}`, 'HOST'));
}

describe('OTLP check of doctor', () => {
  test('without a collector nothing is checked', async () => {
    expect(await check({})).toEqual([]);
    expect(
      await check({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:1', OTEL_SDK_DISABLED: 'true' }),
    ).toEqual([]);
  });

  test('a collector gets one empty export with the configured headers, in each HTTP protocol', async () => {
    await using collector = await startCollector((response) =>
      response.writeHead(200, dateHeader(0)).end(),
    );
    const settings = {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin,
      OTEL_EXPORTER_OTLP_HEADERS: HEADERS,
    };
    expect(toLines(await check(settings))).toEqual([ACCEPTED]);
    expect(toLines(await check({ ...settings, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' }))).toEqual(
      [ACCEPTED],
    );
    const common = { line: 'POST /v1/traces', authorization: 'Bearer a-secret' };
    expect(collector.received).toEqual([
      { ...common, type: 'application/x-protobuf', body: '' },
      { ...common, type: 'application/json', body: '{"resourceSpans":[]}' },
    ]);
  });

  test.each<[number, Record<string, string>, string, string]>([
    [
      302,
      { location: 'https://login.test/?secret' },
      '',
      'HOST redirects to login.test (status 302), and the gateway follows no redirect. If login.test is the right server, set OTEL_EXPORTER_OTLP_ENDPOINT to its address.',
    ],
    [
      401,
      {},
      '',
      'The collector rejects the export (401): check OTEL_EXPORTER_OTLP_HEADERS, which carries its credential.',
    ],
    [
      404,
      {},
      '',
      'HOST has nothing at the path of OTEL_EXPORTER_OTLP_ENDPOINT (status 404). Check the path of OTEL_EXPORTER_OTLP_ENDPOINT. OTEL_EXPORTER_OTLP_ENDPOINT must not contain /v1/traces, which the exporter adds.',
    ],
    [
      405,
      {},
      '',
      'HOST has nothing at the path of OTEL_EXPORTER_OTLP_ENDPOINT (status 405). Check the path of OTEL_EXPORTER_OTLP_ENDPOINT. OTEL_EXPORTER_OTLP_ENDPOINT must not contain /v1/traces, which the exporter adds.',
    ],
    [415, {}, '', 'The collector does not accept the protocol http/protobuf (415).'],
    [
      200,
      { 'content-type': 'text/html' },
      '<!doctype html>',
      'HOST sends HTML or XML instead of an OTLP response (status 200). Another server, a login page, a firewall or a maintenance page responds. Check the host and the path of OTEL_EXPORTER_OTLP_ENDPOINT. OTEL_EXPORTER_OTLP_ENDPOINT must not contain /v1/traces, which the exporter adds.',
    ],
    [
      503,
      {},
      '',
      'HOST responds with an error of its own (status 503). The fault is in the server. The gateway needs no restart.',
    ],
    [418, {}, '', 'The collector returns 418.'],
  ])('the response %d %j %s is explained', async (status, headers, body, problem) => {
    expect(await linesOf(status, headers, body)).toEqual([
      `finding otlp-connection: ${problem} ${CONSEQUENCE}`,
    ]);
  });

  test('a 404 of OTEL_EXPORTER_OTLP_TRACES_ENDPOINT has another cause', async () => {
    const toSettings = (origin: string) => ({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: origin });
    expect(await linesOf(404, {}, '', toSettings)).toEqual([
      `finding otlp-connection: HOST has nothing at the path of OTEL_EXPORTER_OTLP_TRACES_ENDPOINT (status 404). OTEL_EXPORTER_OTLP_TRACES_ENDPOINT has no path. OTEL_EXPORTER_OTLP_TRACES_ENDPOINT must contain the whole path, usually /v1/traces. ${CONSEQUENCE}`,
    ]);
  });

  test('a collector that rejects an empty export is not judged', async () => {
    expect(await linesOf(400)).toEqual([
      'unknown otlp-connection: The collector can be reached, and rejects an export without spans (400): doctor cannot see whether it accepts others.',
    ]);
  });

  test('a collector with another clock gets a note', async () => {
    expect(await linesOf(200, dateHeader(-60_000))).toEqual([
      ACCEPTED,
      'note otlp-clock: The clock of the collector is 60 s behind the clock of this machine: spans of other services seem shifted by that.',
    ]);
  });

  test('doctor does not check a collector that no OTLP variable names, or whose certificates it does not read', async () => {
    expect(toLines(await check({ OTEL_CONFIG_FILE: 'otel.yaml' }))).toEqual([
      'unknown otlp-connection: OTEL_CONFIG_FILE or OTEL_TRACES_EXPORTER says where traces go, and doctor checks only the OTLP endpoints of OTEL_EXPORTER_OTLP_… variables.',
    ]);
    const https = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c.invalid',
      OTEL_EXPORTER_OTLP_CERTIFICATE: 'ca.pem',
    };
    expect(toLines(await check(https))).toEqual([
      'unknown otlp-connection: OTEL_EXPORTER_OTLP_CERTIFICATE names the trusted certificates, and doctor does not read them: the collector is not checked.',
    ]);
  });

  test('the protocol grpc is checked with one connection', async () => {
    const bytes: Buffer[] = [];
    await using collector = await listenTcp((socket) =>
      socket.on('data', (data) => bytes.push(data)),
    );
    const settings = {
      OTEL_EXPORTER_OTLP_ENDPOINT: `127.0.0.1:${collector.port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    };
    expect(toLines(await check(settings))).toEqual([
      'ok otlp-connection: The collector accepts connections (0.0 ms). Doctor sends no gRPC request.',
    ]);
    expect([collector.connections, Buffer.concat(bytes).length]).toEqual([1, 0]);
    const refused = { ...settings, OTEL_EXPORTER_OTLP_ENDPOINT: `127.0.0.1:${await freePort()}` };
    expect(toLines(await check(refused))).toEqual([
      expect.stringMatching(
        /^finding otlp-connection: 127\.0\.0\.1:\d+ refuses connections \(ECONNREFUSED\)\. /,
      ),
    ]);
  });

  test('an address without a collector, and a server that does not speak HTTP, are explained', async () => {
    const port = await freePort();
    const endpoint = `http://user:secret@127.0.0.1:${port}`;
    expect(toLines(await check({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }))).toEqual([
      `finding otlp-connection: 127.0.0.1:${port} refuses connections (ECONNREFUSED). Check the host and the port of OTEL_EXPORTER_OTLP_ENDPOINT, and whether the server runs. ${CONSEQUENCE}`,
    ]);
    await using other = await listenTcp((socket) => socket.end('220 mail.test ESMTP\r\n'));
    expect(toLines(await check({ OTEL_EXPORTER_OTLP_ENDPOINT: other.origin }))).toEqual([
      expect.stringMatching(
        /^finding otlp-connection: 127\.0\.0\.1:\d+ sends a response that is not HTTP\/1\.1 \(\w+\)\. Check the scheme, the host and the port of OTEL_EXPORTER_OTLP_ENDPOINT\. For a gRPC port, usually 4317, set OTEL_EXPORTER_OTLP_PROTOCOL=grpc\. /,
      ),
    ]);
  });

  test('a collector that does not respond is given up after five seconds', async () => {
    const { clock, timers } = createServiceClock();
    let received = () => {};
    const request = new Promise<void>((resolve) => {
      received = resolve;
    });
    await using collector = await listenTcp((socket) => {
      socket.once('data', received);
    });
    const pending = checkTelemetry(
      readSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin }),
      clock,
    );
    await request;
    timers.elapse(5_000);
    expect(toLines(await pending)).toEqual([
      `finding otlp-connection: 127.0.0.1:${collector.port} sends no complete response within 5 s. The server is slow, overloaded, or not reachable through its load balancer. ${CONSEQUENCE}`,
    ]);
  });
});
