import { errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import type { GatewayError } from '#errors/gateway-error.ts';
import type { HeaderReader } from '#http/message.ts';
import { InvalidTokenError } from './invalid-token-error.ts';
import { type KeySource, KeysUnavailableError } from './jwks.ts';

/**
 * Asymmetric signatures only. With a shared secret (`HS…`), every party that can verify a token
 * could also issue one.
 */
export const ALGORITHMS: readonly string[] = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** Tolerated difference between the clocks of the issuer and the gateway. */
export const CLOCK_TOLERANCE_S = 5;

export interface JwtVerifierOptions {
  readonly issuer: string;
  readonly audience: string;
  /** The token must grant all of them. */
  readonly scopes: readonly string[];
  readonly keys: KeySource;
  /** Current time, in ms. */
  readonly now: () => number;
}

/**
 * Verifies the bearer token of a request. Returns the token's subject, or the empty string if the
 * token has none.
 * @throws InvalidTokenError, KeysUnavailableError
 */
export type VerifyToken = (headers: HeaderReader) => Promise<string>;

export function createJwtVerifier({
  issuer,
  audience,
  scopes,
  keys,
  now,
}: JwtVerifierOptions): VerifyToken {
  return async (headers) => {
    const claims = await verifyJwt(parseBearerToken(headers.get('authorization') ?? ''), keys, {
      issuer,
      audience,
      algorithms: [...ALGORITHMS],
      requiredClaims: ['exp'],
      clockTolerance: CLOCK_TOLERANCE_S,
      currentDate: new Date(now()),
    });
    const { sub = '' } = claims;
    // jose checks the type of `sub` only if a subject is required. A value of another type would
    // become a caller name of its own.
    if (typeof sub !== 'string')
      throw new InvalidTokenError('UNAUTHENTICATED', INVALID_SUBJECT_MESSAGE, 'invalid_token');
    const granted = grantedScopes(claims);
    if (scopes.every((scope) => granted.has(scope))) return sub;
    const message = `The bearer token lacks a scope: this gateway requires \`${scopes.join(' ')}\`.`;
    throw new InvalidTokenError('FORBIDDEN', message, 'insufficient_scope');
  };
}

const INVALID_SUBJECT_MESSAGE = 'The `sub` of the bearer token must be text (RFC 7519, 4.1.2).';

function parseBearerToken(header: string): string {
  const token = /^Bearer +([\x21-\x7e]+) *$/i.exec(header)?.[1];
  if (token) return token;
  throw new InvalidTokenError(
    'UNAUTHENTICATED',
    header === ''
      ? 'The bearer token is missing: send a token of the issuer that this gateway trusts as `Authorization: Bearer <token>`.'
      : 'The Authorization header must have the form `Bearer <token>`, and the token must not contain spaces.',
  );
}

async function verifyJwt(
  token: string,
  keys: KeySource,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, keys.findKey, options)).payload;
  } catch (error) {
    if (error instanceof errors.JWKSMultipleMatchingKeys)
      return verifyWithCandidates(token, error, options);
    throw toVerificationError(error, keys);
  }
}

/** A token need not name its key. While an issuer rotates its keys, several of them may match. */
async function verifyWithCandidates(
  token: string,
  candidates: errors.JWKSMultipleMatchingKeys,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  for await (const key of candidates) {
    try {
      return (await jwtVerify(token, key, options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw invalidToken(error);
    }
  }
  throw invalidToken(candidates);
}

function toVerificationError(error: unknown, keys: KeySource): GatewayError {
  if (error instanceof KeysUnavailableError) return error;
  // The token may be signed with a new key that could not be fetched.
  if (error instanceof errors.JWKSNoMatchingKey && keys.isStale())
    return new KeysUnavailableError();
  return invalidToken(error);
}

/**
 * The error that rejects a token. It is also the error for a key of the issuer that cannot be used;
 * unavailable keys cause a `KeysUnavailableError`.
 */
function invalidToken(error: unknown): InvalidTokenError {
  const message =
    error instanceof errors.JWTExpired
      ? 'The bearer token has expired: get a new one from its issuer.'
      : 'The bearer token is not accepted: the issuer that this gateway trusts must have signed it for this gateway, and it must be valid now.';
  return new InvalidTokenError('UNAUTHENTICATED', message, 'invalid_token');
}

/**
 * Reads scopes as OAuth 2.0 writes them (`scope`, separated by spaces), and as some issuers do
 * (`scp`, a string or an array).
 */
function grantedScopes({ scope, scp }: JWTPayload): Set<unknown> {
  return new Set(
    [scope, scp].flatMap((scopes) =>
      typeof scopes === 'string' ? scopes.split(' ') : Array.isArray(scopes) ? scopes : [],
    ),
  );
}
