import { GatewayError, UnauthenticatedError } from '#errors/gateway-error.ts';
import { isFromElsewhere } from './cross-site.ts';
import type { RequestHead } from './exchange.ts';
import type { IsRouter } from './router-secret.ts';
import type { CheckToken } from './token.ts';

/**
 * Throws a GatewayError for a request that may not enter; else tells by what it is known among those who use the gateway's own key: the
 * subject of its token. Undefined where nobody is told apart.
 */
export type CheckAdmission = (request: RequestHead) => Promise<string | undefined>;

export interface AdmissionOptions {
  /** Whether a router's secret is asked for. */
  readonly asksForSecret: boolean;
  readonly isRouter: IsRouter;
  /** Absent: no bearer token admits. */
  readonly checkToken: CheckToken | undefined;
  /** Nobody has to prove anything: the gateway reads with its own key for everyone on this machine, but not for every page in a browser on it. */
  readonly isOpen: boolean;
  /** Origins whose pages may ask; the gateway's own always may. */
  readonly corsOrigins: readonly string[];
}

/** Routers ask for many at a time; all of them together are one among the subjects of tokens. */
const ROUTER = 'router';

/** Checks who asks. With whose key is asked upstream is another question: `context/caller.ts`. */
export function createAdmission({ asksForSecret, isRouter, checkToken, isOpen, corsOrigins }: AdmissionOptions): CheckAdmission {
  const allowedOrigins = new Set(corsOrigins);

  return async (request) => {
    if (asksForSecret && request.headers.has('router-authorization')) {
      // Whatever else it carries: a router with a wrong secret is to learn of it.
      if (!isRouter(request.headers)) throw new UnauthenticatedError('The Router-Authorization header is wrong.');
      return checkToken && ROUTER;
    }
    if (checkToken) return `subject ${await checkToken(request.headers)}`;
    if (asksForSecret) throw new UnauthenticatedError('The Router-Authorization header is missing.');
    // Who carries a token or a secret is no page of another site: no browser adds them by itself.
    if (isOpen && isFromElsewhere(request, allowedOrigins)) {
      throw new GatewayError(
        'FORBIDDEN',
        'This request comes from a page of another site: this gateway answers its own pages, and those of CORS_ORIGINS.',
      );
    }
    return undefined;
  };
}
