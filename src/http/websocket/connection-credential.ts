import { UnauthenticatedError } from '#errors/gateway-error.ts';
import type { HeaderReader } from '#http/message.ts';

/** The headers that carry a credential. */
const CREDENTIAL_HEADERS = ['authorization', 'router-authorization'] as const;

/** Headers of the upgrade that its subscriptions keep: they identify requests in logs and traces. */
const KEPT_HEADERS = ['x-request-id', 'x-revox-trace', 'traceparent', 'tracestate'] as const;

/** Longer values are no credential: Node limits all headers of a request to 16 KiB. */
const MAX_VALUE_LENGTH = 16_384;

/** A header value of visible ASCII characters and spaces, as every valid credential is. */
const HEADER_VALUE = /^[\x20-\x7e]*$/;

/** Whether the upgrade itself carries a credential. */
export function hasCredential(headers: HeaderReader): boolean {
  return CREDENTIAL_HEADERS.some((name) => headers.has(name));
}

/** The headers of the subscriptions on a socket whose upgrade carries its credential. */
export function toSocketHeaders(upgrade: HeaderReader): Headers {
  const headers = new Headers();
  for (const name of [...KEPT_HEADERS, ...CREDENTIAL_HEADERS]) {
    const value = upgrade.get(name);
    if (value !== null) headers.set(name, value);
  }
  return headers;
}

/**
 * The headers of the subscriptions on a socket whose client sends its credential in
 * `connection_init`: a browser cannot set headers of an upgrade. The credential is `authorization`,
 * `headers.authorization`, or `connectionParams.token` (Apollo Router); the first one counts.
 * Letter case makes no difference. A header of the upgrade is never replaced: a router may send its
 * secret there, and forward the `connection_init` of its client.
 * @throws UnauthenticatedError for a value that is no header value
 */
export function toInitHeaders(upgrade: HeaderReader, params: unknown): Headers {
  const headers = toSocketHeaders(upgrade);
  const nested = fieldOf(params, 'headers');
  const values = {
    authorization: [
      fieldOf(params, 'authorization'),
      fieldOf(nested, 'authorization'),
      fieldOf(fieldOf(params, 'connectionParams'), 'token'),
    ],
    'router-authorization': [
      fieldOf(params, 'router-authorization'),
      fieldOf(nested, 'router-authorization'),
    ],
  };
  for (const name of CREDENTIAL_HEADERS) {
    if (headers.has(name)) continue;
    const value = values[name].find((each) => each !== undefined && each !== null);
    if (value === undefined) continue;
    if (!isHeaderValue(value))
      throw new UnauthenticatedError(
        `The ${name} of connection_init must be text, as in the header.`,
      );
    headers.set(name, value);
  }
  return headers;
}

function isHeaderValue(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_VALUE_LENGTH && HEADER_VALUE.test(value);
}

/** @param name in lower case */
function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
}
