import type { KeySourceOptions } from './jwks.ts';
import type { JwtVerifierOptions, VerifyToken } from './jwt.ts';

export interface LazyJwtVerifierOptions extends Omit<JwtVerifierOptions, 'keys'>, Omit<KeySourceOptions, 'url'> {
  /** Where the issuer publishes its keys (JWKS). */
  readonly jwksUrl: string;
}

/**
 * Checks bearer tokens, once what that takes is loaded, which begins at once: the first token waits for it, and the start does not. jose takes 50 ms, which
 * nobody has to pay who takes no tokens.
 */
export function createLazyJwtVerifier(options: LazyJwtVerifierOptions): VerifyToken {
  let verifier: Promise<VerifyToken> | undefined;
  const loadOnce = () => {
    // What cannot be loaded is told to whoever brings a token, and loaded anew for the next one.
    verifier ??= loadVerifier(options).catch((error: unknown) => {
      verifier = undefined;
      throw error;
    });
    return verifier;
  };
  loadOnce().catch(() => {});
  return async (headers) => (await loadOnce())(headers);
}

async function loadVerifier({ jwksUrl: url, ...options }: LazyJwtVerifierOptions): Promise<VerifyToken> {
  const { createKeySource } = await import('./jwks.ts');
  const { createJwtVerifier } = await import('./jwt.ts');
  return createJwtVerifier({ ...options, keys: createKeySource({ ...options, url }) });
}
