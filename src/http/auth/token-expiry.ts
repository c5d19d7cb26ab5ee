import type { HeaderReader } from '#http/message.ts';

/** Tolerated difference between the clocks of an issuer of tokens and the gateway, in ms. */
const TOLERANCE_MS = 5_000;

/**
 * When the bearer token of a request has expired, with the tolerance, in ms. The token must be
 * verified: this reads its claims only. Undefined if they cannot be read.
 */
export function toTokenExpiry(headers: HeaderReader): number | undefined {
  const payload = /^Bearer +[^.]+\.([^.]+)\./i.exec(headers.get('authorization') ?? '')?.[1];
  if (payload === undefined) return undefined;
  try {
    const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as {
      readonly exp?: unknown;
    };
    return typeof exp === 'number' ? exp * 1000 + TOLERANCE_MS : undefined;
  } catch {
    return undefined;
  }
}
