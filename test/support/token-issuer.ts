import {
  type CryptoKey,
  exportJWK,
  type GenerateKeyPairResult,
  generateKeyPair,
  importJWK,
  type JWK,
  SignJWT,
} from 'jose';

export const ISSUER = 'https://id.test/';
export const AUDIENCE = 'https://calls.test';
export const JWKS_URL = 'https://id.test/keys';

/** Valid claims for `SCOPES`, except an expiry. */
export const VALID_CLAIMS = { iss: ISSUER, aud: AUDIENCE, scope: 'profile calls:read calls:list' };
export const SCOPES = 'calls:read calls:list';

export const JWT_SETTINGS = {
  JWT_JWKS_URL: JWKS_URL,
  JWT_ISSUER: ISSUER,
  JWT_AUDIENCE: AUDIENCE,
  JWT_SCOPE: SCOPES,
};

export interface IssuerKey extends GenerateKeyPairResult {
  readonly kid: string;
  readonly alg: string;
}

export async function createKey(kid: string, alg = 'ES256'): Promise<IssuerKey> {
  return { kid, alg, ...(await generateKeyPair(alg, { extractable: true })) };
}

/** The same key for another algorithm of its type: to create an RSA key takes long. */
export async function withAlgorithm(
  { kid, publicKey, privateKey }: IssuerKey,
  alg: string,
): Promise<IssuerKey> {
  const importKey = async (key: CryptoKey) =>
    (await importJWK({ ...(await exportJWK(key)), alg }, alg, { extractable: true })) as CryptoKey;
  return {
    kid,
    alg,
    publicKey: await importKey(publicKey),
    privateKey: await importKey(privateKey),
  };
}

/** A token issuer that publishes its keys. */
export interface TokenIssuer {
  /** The response with the published keys, for a gateway's `fetchKeys`; a test may replace it. */
  respond(request: Request): Promise<Response>;
  /** The published keys. */
  readonly keys: IssuerKey[];
  /** The requests for the keys. */
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

/** The `fetchKeys` of a gateway with this issuer. */
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
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: key.alg, kid: key.kid, ...header })
    .sign(key.privateKey);
}
