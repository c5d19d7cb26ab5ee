import type { KeySourceOptions } from './jwks.ts';
import type { CheckToken, TokenCheckOptions } from './token.ts';

export interface LateTokenCheckOptions extends Omit<TokenCheckOptions, 'keys'>, Omit<KeySourceOptions, 'url'> {
  /** Where the issuer publishes its keys (JWKS). */
  readonly jwksUrl: string;
}

/**
 * Checks bearer tokens, once what that takes is loaded, which begins at once: the first token waits for it, and the start does not. jose takes 50 ms, which
 * nobody has to pay who takes no tokens.
 */
export function createLateTokenCheck(options: LateTokenCheckOptions): CheckToken {
  let check: Promise<CheckToken> | undefined;
  const loadOnce = () => {
    // What cannot be loaded is told to whoever brings a token, and loaded anew for the next one.
    check ??= load(options).catch((error: unknown) => {
      check = undefined;
      throw error;
    });
    return check;
  };
  loadOnce().catch(() => {});
  return async (headers) => (await loadOnce())(headers);
}

async function load({ jwksUrl: url, ...options }: LateTokenCheckOptions): Promise<CheckToken> {
  const { createKeySource } = await import('./jwks.ts');
  const { createTokenCheck } = await import('./token.ts');
  return createTokenCheck({ ...options, keys: createKeySource({ ...options, url }) });
}
