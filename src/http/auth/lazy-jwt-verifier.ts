import type { KeySourceOptions } from './jwks.ts';
import type { JwtVerifierOptions, VerifyToken } from './jwt.ts';

export interface LazyJwtVerifierOptions
  extends Omit<JwtVerifierOptions, 'keys'>,
    Omit<KeySourceOptions, 'url'> {
  /** Where the issuer publishes its keys (JWKS). */
  readonly jwksUrl: string;
}

/**
 * Verifies bearer tokens with a verifier that is loaded in the background. Loading starts at once:
 * the first token waits for it, and the start-up does not. Loading jose takes 50 ms, so only a
 * gateway that accepts tokens loads it.
 */
export function createLazyJwtVerifier(options: LazyJwtVerifierOptions): VerifyToken {
  let verifier: Promise<VerifyToken> | undefined;
  const loadOnce = () => {
    // A failed load rejects the requests that wait for it. The next request loads again.
    verifier ??= loadVerifier(options).catch((error: unknown) => {
      verifier = undefined;
      throw error;
    });
    return verifier;
  };
  loadOnce().catch(() => {});
  return async (headers) => (await loadOnce())(headers);
}

async function loadVerifier({
  jwksUrl: url,
  ...options
}: LazyJwtVerifierOptions): Promise<VerifyToken> {
  const { createKeySource } = await import('./jwks.ts');
  const { createJwtVerifier } = await import('./jwt.ts');
  return createJwtVerifier({ ...options, keys: createKeySource({ ...options, url }) });
}
