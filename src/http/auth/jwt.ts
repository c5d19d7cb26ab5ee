import { errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import type { GatewayError } from '#errors/gateway-error.ts';
import type { HeaderReader } from '#http/message.ts';
import { InvalidTokenError } from './invalid-token-error.ts';
import { type KeySource, KeysUnavailableError } from './jwks.ts';

/** Signatures that only the issuer can make. With a shared secret (`HS…`) everyone who can check one could make one. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];

/** How far apart the issuer's clock and ours may be. */
const CLOCK_TOLERANCE_S = 5;

export interface JwtVerifierOptions {
  readonly issuer: string;
  readonly audience: string;
  /** Each has to be granted. */
  readonly scopes: readonly string[];
  readonly keys: KeySource;
  /** The clock, ms. */
  readonly now: () => number;
}

/**
 * Throws a `InvalidTokenError`, or a `KeysUnavailableError`, unless the bearer token of a request admits it; gives the token's subject,
 * empty when it names none.
 */
export type VerifyToken = (headers: HeaderReader) => Promise<string>;

export function createJwtVerifier({ issuer, audience, scopes, keys, now }: JwtVerifierOptions): VerifyToken {
  return async (headers) => {
    const claims = await verifyJwt(parseBearerToken(headers.get('authorization') ?? ''), keys, {
      issuer,
      audience,
      algorithms: ALGORITHMS,
      requiredClaims: ['exp'],
      clockTolerance: CLOCK_TOLERANCE_S,
      currentDate: new Date(now()),
    });
    const { sub = '' } = claims;
    // jose checks that it is text only where a subject is asked for. A number or an object would be an owner of queues like any other.
    if (typeof sub !== 'string') throw new InvalidTokenError('UNAUTHENTICATED', INVALID_SUBJECT_MESSAGE, 'invalid_token');
    const granted = grantedScopes(claims);
    if (scopes.every((scope) => granted.has(scope))) return sub;
    const message = `The bearer token lacks a scope: this gateway asks for \`${scopes.join(' ')}\`.`;
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
      ? 'No bearer token: send one of the issuer that this gateway trusts as `Authorization: Bearer <token>`.'
      : 'The Authorization header is not of the form `Bearer <token>`.',
  );
}

async function verifyJwt(token: string, keys: KeySource, options: JWTVerifyOptions): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, keys.findKey, options)).payload;
  } catch (error) {
    if (error instanceof errors.JWKSMultipleMatchingKeys) return verifyWithCandidates(token, error, options);
    throw toVerificationError(error, keys);
  }
}

/** A token need not name its key; while an issuer changes its keys, there are two that fit. */
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
  // The key may be one that nobody could fetch.
  if (error instanceof errors.JWKSNoMatchingKey && keys.isStale()) return new KeysUnavailableError();
  return invalidToken(error);
}

/** Whatever else was thrown: a key of the issuer that cannot be used, for one. Nobody enters by it. */
function invalidToken(error: unknown): InvalidTokenError {
  const message =
    error instanceof errors.JWTExpired
      ? 'The bearer token has expired: get a new one of its issuer.'
      : 'The bearer token is not one that this gateway takes: its issuer has to have signed it, for this gateway, and it has to be valid now.';
  return new InvalidTokenError('UNAUTHENTICATED', message, 'invalid_token');
}

/** As OAuth 2.0 writes them (`scope`, separated by blanks), and as some issuers do (`scp`, text or a list). */
function grantedScopes({ scope, scp }: JWTPayload): Set<unknown> {
  return new Set(
    [scope, scp].flatMap((given) => (typeof given === 'string' ? given.split(' ') : Array.isArray(given) ? given : [])),
  );
}
