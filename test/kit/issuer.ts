import { exportJWK, type GenerateKeyPairResult, generateKeyPair, type JWK, SignJWT } from 'jose';

export const ISSUER = 'https://id.test/';
export const AUDIENCE = 'https://calls.test';
export const JWKS_URL = 'https://id.test/keys';

/** The claims that admit for `SCOPES`, an expiry besides. */
export const GOOD_CLAIMS = { iss: ISSUER, aud: AUDIENCE, scope: 'profile calls:read calls:list' };
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
export interface Issuer {
  /** What it publishes, for a gateway's `fetchKeys`; may be put into its place. */
  answer(request: Request): Promise<Response>;
  /** The keys it publishes. */
  readonly keys: IssuerKey[];
  /** How often it was asked for its keys. */
  readonly asked: Request[];
}

export function createIssuer(...keys: IssuerKey[]): Issuer {
  const asked: Request[] = [];
  const issuer: Issuer = {
    keys,
    asked,
    async answer() {
      return Response.json({ keys: await Promise.all(issuer.keys.map(toJwk)) });
    },
  };
  return issuer;
}

/** For a gateway's `fetchKeys`. */
export function toFetchKeys(issuer: Issuer): (request: Request) => Promise<Response> {
  return (request) => {
    issuer.asked.push(request);
    return issuer.answer(request);
  };
}

export async function toJwk({ publicKey, kid, alg }: IssuerKey): Promise<JWK> {
  return { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
}

/** A token with these claims and no others. */
export function sign(key: IssuerKey, claims: object, header: object = {}): Promise<string> {
  return new SignJWT({ ...claims }).setProtectedHeader({ alg: key.alg, kid: key.kid, ...header }).sign(key.privateKey);
}
