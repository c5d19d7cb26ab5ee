import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import { isLoopbackUrl } from '#config/groups/listening.ts';
import type { Settings } from '#config/settings.ts';
import type { Finding } from '#doctor/finding.ts';
import { explainFailure } from '#errors/describe-failure.ts';
import {
  type FailureCause,
  toRequestTarget,
  toStatusCause,
  toTransportCause,
} from '#errors/failure-cause.ts';
import { toIssuerServer } from '#http/auth/jwks.ts';
import { ALGORITHMS, CLOCK_TOLERANCE_S } from '#http/auth/jwt.ts';
import { toClockDifference } from '#rest/transport/date-header.ts';
import { parseJson } from '#rest/transport/parse-json.ts';
import type { TransportResponse } from '#rest/transport/transport.ts';
import { createUndiciTransport } from '#rest/transport/undici-transport.ts';
import { toUserAgent } from '#rest/transport/user-agent.ts';
import { isWebPage } from '#rest/transport/web-page.ts';
import { type CheckedKey, checkKey } from './jwks-keys.ts';
import {
  CHECK_TIMEOUT,
  CheckTimeoutError,
  limitTime,
  type ServiceClock,
  toClockOffset,
  toMilliseconds,
} from './service-clock.ts';

const CONSEQUENCE = 'The gateway rejects bearer tokens with 503.';
const CHECK = 'jwks-connection';
const MAX_BYTES = 2 ** 20;

/** Checks the key set of `JWT_JWKS_URL` with one request. */
export async function checkJwks(
  settings: Settings,
  clock: ServiceClock,
): Promise<readonly Finding[]> {
  if (settings.jwt === undefined) return [];
  const url = new URL(settings.jwt.jwksUrl);
  const sentAt = clock.monotonicNow();
  try {
    const response = await fetchKeySet(url, settings, clock);
    const latencyMs = clock.monotonicNow() - sentAt;
    const problem = explainResponse(response, url);
    if (problem) return [problem];
    return [
      ...checkConnection(url, latencyMs),
      ...(await checkKeySet(response)),
      ...checkClock(response, clock.now()),
    ];
  } catch (error) {
    const { http, https } = settings.revox.proxies ?? {};
    return [
      failure(explain(toTransportCause(error, toRequestTarget(url.href, [http, https])), url)),
    ];
  }
}

/** Sends the request as the gateway does: through the same proxy, without following redirects. */
async function fetchKeySet(
  { origin, pathname, search }: URL,
  { revox }: Settings,
  { startTimer }: ServiceClock,
): Promise<TransportResponse> {
  const userAgent = toUserAgent(revox.userAgentComment);
  const { transport, close } = createUndiciTransport({
    ...revox.timeouts,
    userAgent,
    proxies: revox.proxies,
    startTimer,
  });
  const pending = transport({
    origin,
    path: pathname + search,
    headers: { 'user-agent': userAgent, accept: 'application/jwk-set+json, application/json' },
    maxBytes: MAX_BYTES,
  });
  try {
    const response = await limitTime(pending.response, { startTimer });
    if (response.bodyError) throw response.bodyError;
    return response;
  } finally {
    pending.abort(new CheckTimeoutError());
    await close();
  }
}

function explainResponse(response: TransportResponse, url: URL): Finding | undefined {
  const { status } = response;
  if (status === 401 || status === 403)
    return failure(
      `JWT_JWKS_URL rejects the request (${status}): a key set must be readable without a credential.`,
    );
  const cause = toStatusCause(status, response.header('location'), url.href);
  if (cause) return failure(explain(cause, url));
  if (isWebPage(response)) return failure(explain({ kind: 'web-page', status }, url));
  return status === 200
    ? undefined
    : failure(`JWT_JWKS_URL returns ${status} instead of a key set.`);
}

function explain(cause: FailureCause, url: URL): string {
  return explainFailure(cause, toIssuerServer(url.href, CHECK_TIMEOUT));
}

function checkConnection(url: URL, latencyMs: number): readonly Finding[] {
  const isLoopback = url.protocol === 'http:' && isLoopbackUrl(url);
  return [
    {
      check: CHECK,
      verdict: 'ok',
      message: `JWT_JWKS_URL responds within ${toMilliseconds(latencyMs)}, ${isLoopback ? 'over http on this machine' : 'over https'}.`,
      details: { latencyMs: Math.round(latencyMs * 100) / 100 },
    },
  ];
}

async function checkKeySet({ body }: TransportResponse): Promise<readonly Finding[]> {
  const parsed = parse(body);
  const keySet = toKeySet(parsed);
  if (!keySet) return [explainOtherDocument(parsed)];
  const keys = await Promise.all(keySet.keys.map(checkKey));
  return [...checkAlgorithms(keys), ...checkSecrecy(keys)];
}

function checkAlgorithms(keys: readonly CheckedKey[]): readonly Finding[] {
  const check = 'jwks-keys';
  const usable = keys.filter(({ isUsable }) => isUsable);
  const details = { keys: keys.length, usable: usable.length, algorithms: algorithmsOf(usable) };
  if (usable.length === 0) {
    const has = keys.length === 0 ? 'no key at all' : `${keys.length}: ${list(keys)}`;
    const message = `The key set of JWT_JWKS_URL has no key that the gateway can use (it has ${has}). The gateway accepts public keys for signatures with ${ALGORITHMS.join(', ')}. It rejects every bearer token.`;
    return [{ check, verdict: 'failure', message, details }];
  }
  const others = keys.length - usable.length;
  const message = `The key set of JWT_JWKS_URL has ${usable.length} usable ${usable.length === 1 ? 'key' : 'keys'} (${list(usable)})${others > 0 ? `, and ${others} that the gateway ignores` : ''}.`;
  return [{ check, verdict: 'ok', message, details }];
}

function checkSecrecy(keys: readonly CheckedKey[]): readonly Finding[] {
  if (!keys.some(({ isPrivate }) => isPrivate)) return [];
  const message =
    'The key set of JWT_JWKS_URL publishes the private part of a key: every reader can issue tokens. The issuer must replace this key.';
  return [{ check: 'jwks-keys', verdict: 'finding', message }];
}

function checkClock({ header }: TransportResponse, now: number): readonly Finding[] {
  const check = 'jwks-clock';
  const differenceMs = toClockDifference(header, now);
  if (differenceMs === undefined) {
    const message = 'JWT_JWKS_URL sends no Date header, so the clock of the issuer is unknown.';
    return [{ check, verdict: 'unknown', message }];
  }
  const details = { differenceMs: Math.round(differenceMs) };
  // A second more, because that is the resolution of the header.
  if (Math.abs(differenceMs) <= (CLOCK_TOLERANCE_S + 1) * 1000) {
    const message = `The clock of the issuer agrees with the clock of this machine within ${CLOCK_TOLERANCE_S} s.`;
    return [{ check, verdict: 'ok', message, details }];
  }
  const effect =
    differenceMs > 0
      ? 'New tokens with an nbf are not valid yet for the gateway.'
      : 'Tokens expire early for the gateway.';
  const message = `The clock of the issuer is ${toClockOffset(differenceMs)}, and the gateway tolerates ${CLOCK_TOLERANCE_S} s. ${effect}`;
  return [{ check, verdict: 'finding', message, details }];
}

function parse(body: TransportResponse['body']): unknown {
  try {
    return parseJson(body);
  } catch {
    return undefined;
  }
}

function toKeySet(document: unknown): JSONWebKeySet | undefined {
  try {
    createLocalJWKSet(document as JSONWebKeySet);
    return document as JSONWebKeySet;
  } catch {
    return undefined;
  }
}

function explainOtherDocument(document: unknown): Finding {
  if (document === undefined)
    return failure('JWT_JWKS_URL does not return JSON: check its path.', 'jwks-keys');
  const jwksUrl = discoveredUrl(document);
  if (jwksUrl === undefined)
    return failure('JWT_JWKS_URL returns JSON that is not a JSON Web Key Set.', 'jwks-keys');
  return {
    ...failure(
      'JWT_JWKS_URL returns the discovery document of the issuer and not the key set: set JWT_JWKS_URL to its jwks_uri.',
      'jwks-keys',
    ),
    settings: { JWT_JWKS_URL: jwksUrl },
  };
}

function discoveredUrl(document: unknown): string | undefined {
  if (typeof document !== 'object' || document === null || !('jwks_uri' in document))
    return undefined;
  const { jwks_uri: url } = document;
  return typeof url === 'string' && /^https:\/\/[\x21-\x7e]+$/.test(url) ? url : undefined;
}

function algorithmsOf(keys: readonly CheckedKey[]): string[] {
  return [...new Set(keys.map(({ algorithm }) => algorithm))].sort();
}

function list(keys: readonly CheckedKey[]): string {
  return algorithmsOf(keys).join(', ');
}

function failure(message: string, check = CHECK): Finding {
  return { check, verdict: 'failure', message: `${message} ${CONSEQUENCE}` };
}
