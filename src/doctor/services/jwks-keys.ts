import { importJWK, type JWK } from 'jose';
import { ALGORITHMS } from '#http/auth/jwt.ts';

/** A key of a key set, as far as it may be printed. */
export interface CheckedKey {
  /** Its algorithm; without one, an algorithm that its type allows. */
  readonly algorithm: string;
  readonly isUsable: boolean;
  /** Whether the key set publishes the secret part, too. */
  readonly isPrivate: boolean;
}

const ALGORITHM_OF_CURVE: { readonly [curve: string]: string } = {
  'P-256': 'ES256',
  'P-384': 'ES384',
  'P-521': 'ES512',
  Ed25519: 'EdDSA',
};

export async function checkKey(jwk: JWK): Promise<CheckedKey> {
  const algorithm = toPrintable(jwk.alg ?? algorithmOf(jwk));
  const isForSignatures =
    (jwk.use === undefined || jwk.use === 'sig') &&
    (!Array.isArray(jwk.key_ops) || jwk.key_ops.includes('verify'));
  const isUsable =
    isForSignatures && ALGORITHMS.includes(algorithm) && (await canImport(jwk, algorithm));
  return { algorithm, isUsable, isPrivate: jwk.d !== undefined || jwk.k !== undefined };
}

function algorithmOf({ kty, crv = '' }: JWK): string {
  if (kty === 'RSA') return 'RS256';
  return ALGORITHM_OF_CURVE[crv] ?? String(kty);
}

async function canImport(jwk: JWK, algorithm: string): Promise<boolean> {
  try {
    await importJWK(jwk, algorithm);
    return true;
  } catch {
    return false;
  }
}

/** The issuer chooses the text. */
function toPrintable(algorithm: unknown): string {
  return typeof algorithm === 'string' && /^[\w+-]{1,20}$/.test(algorithm) ? algorithm : 'unknown';
}
