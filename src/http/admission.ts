import { GatewayError, UnauthenticatedError } from '#errors/gateway-error.ts';
import { isFromElsewhere } from './cross-site.ts';
import { createSecretCheck } from './router-secret.ts';
import type { CheckToken } from './token.ts';

/** What is known of who sent a request, once it has been let in. */
export interface Admission {
  /** It carries a valid `Router-Authorization`. False where no secrets are set: nobody can prove then that they are a router. */
  readonly isRouter: boolean;
}

/** Throws a GatewayError for a request that may not enter. */
export type CheckAdmission = (request: Request) => Promise<Admission>;

export interface AdmissionOptions {
  /** Any of them admits in `Router-Authorization`; empty: none is asked for. */
  readonly routerSecrets: readonly string[];
  /** Absent: no bearer token admits. */
  readonly checkToken: CheckToken | undefined;
  /** Nobody has to prove anything: the gateway reads with its own key for everyone on this machine, but not for every page in a browser on it. */
  readonly isOpen: boolean;
  /** Origins whose pages may ask; the gateway's own always may. */
  readonly corsOrigins: readonly string[];
}

/** Checks who asks. With whose key is asked upstream is another question: `context/caller.ts`. */
export function createAdmission({ routerSecrets, checkToken, isOpen, corsOrigins }: AdmissionOptions): CheckAdmission {
  const isSecret = createSecretCheck(routerSecrets);
  const asksForSecret = routerSecrets.length > 0;
  const allowedOrigins = new Set(corsOrigins);

  return async (request) => {
    const secret = request.headers.get('router-authorization');
    if (asksForSecret && secret !== null) {
      // Whatever else it carries: a router with a wrong secret is to learn of it.
      if (!isSecret(secret)) throw new UnauthenticatedError('The Router-Authorization header is wrong.');
      return { isRouter: true };
    }
    if (checkToken) await checkToken(request.headers);
    else if (asksForSecret) throw new UnauthenticatedError('The Router-Authorization header is missing.');
    // Who carries a token or a secret is no page of another site: no browser adds them by itself.
    else if (isOpen && isFromElsewhere(request, allowedOrigins)) {
      throw new GatewayError(
        'FORBIDDEN',
        'This request comes from a page of another site: this gateway answers its own pages, and those of CORS_ORIGINS.',
      );
    }
    return { isRouter: false };
  };
}
