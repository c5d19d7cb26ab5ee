import { exportJWK, type GenerateKeyPairResult, generateKeyPair, type JWK, SignJWT } from 'jose';

export const ISSUER = 'https://id.test/';
export const AUDIENCE = 'https://calls.test';
export const JWKS_URL = 'https://id.test/keys';

/** The claims that admit for `SCOPES`, an expiry besides. */
export const VALID_CLAIMS = { iss: ISSUER, aud: AUDIENCE, scope: 'profile calls:read calls:list' };
export const SCOPES = 'calls:read calls:list';

export const JWT_SETTINGS = { JWT_JWKS_URL: JWKS_URL, JWT_ISSUER: ISSUER, JWT_AUDIENCE: AUDIENCE, JWT_SCOPE: SCOPES };

export interface IssuerKey extends GenerateKeyPairResult {
  readonly kid: string;
  readonly alg: string;
}

export async function createKey(kid: string, alg = 'ES256'): Promise<IssuerKey> {
  return { kid, alg, ...(await generateKeyPair(alg, { extractable: true })) };
}

/** One that issues tokens, and publishes its keys. */
export interface TokenIssuer {
  /** What it publishes, for a gateway's `fetchKeys`; may be put into its place. */
  respond(request: Request): Promise<Response>;
  /** The keys it publishes. */
  readonly keys: IssuerKey[];
  /** How often it was asked for its keys. */
  readonly requests: Request[];
}

export function createTokenIssuer(...keys: IssuerKey[]): TokenIssuer {
  const requests: Request[] = [];
  const issuer: TokenIssuer = {
    keys,
    requests,
    async respond() {
      return Response.json({ keys: await Promise.all(issuer.keys.map(toJwk)) });
    },
  };
  return issuer;
}

/** For a gateway's `fetchKeys`. */
export function toFetchKeys(issuer: TokenIssuer): (request: Request) => Promise<Response> {
  return (request) => {
    issuer.requests.push(request);
    return issuer.respond(request);
  };
}

export async function toJwk({ publicKey, kid, alg }: IssuerKey): Promise<JWK> {
  return { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
}

/** A token with these claims and no others. */
export function sign(key: IssuerKey, claims: object, header: object = {}): Promise<string> {
  return new SignJWT({ ...claims }).setProtectedHeader({ alg: key.alg, kid: key.kid, ...header }).sign(key.privateKey);
}
