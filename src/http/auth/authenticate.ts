import { GatewayError, UnauthenticatedError } from '#errors/gateway-error.ts';
import type { RequestHead } from '#http/message.ts';
import { isCrossSite } from './cross-site.ts';
import type { VerifyToken } from './jwt.ts';
import type { IsRouter } from './router-secret.ts';

/**
 * Throws a GatewayError for a request that may not enter; else tells by what it is known among those who use the gateway's own key: the
 * subject of its token. Undefined where nobody is told apart.
 */
export type Authenticate = (request: RequestHead) => Promise<string | undefined>;

export interface AuthenticateOptions {
  /** Whether a router's secret is asked for. */
  readonly requiresRouterSecret: boolean;
  readonly isRouter: IsRouter;
  /** Absent: no bearer token admits. */
  readonly verifyToken: VerifyToken | undefined;
  /** Nobody has to prove anything: the gateway reads with its own key for everyone on this machine, but not for every page in a browser on it. */
  readonly isAnonymousAllowed: boolean;
  /** Origins whose pages may ask; the gateway's own always may. */
  readonly corsOrigins: readonly string[];
}

/** Routers ask for many at a time; all of them together are one among the subjects of tokens. */
const ROUTER_CALLER = 'router';

/** Checks who asks. With whose key is asked upstream is another question: `context/credential-resolver.ts`. */
export function createAuthenticate({
  requiresRouterSecret,
  isRouter,
  verifyToken,
  isAnonymousAllowed,
  corsOrigins,
}: AuthenticateOptions): Authenticate {
  const allowedOrigins = new Set(corsOrigins);

  return async (request) => {
    if (requiresRouterSecret && request.headers.has('router-authorization')) {
      // Whatever else it carries: a router with a wrong secret is to learn of it.
      if (!isRouter(request.headers)) throw new UnauthenticatedError('The Router-Authorization header is wrong.');
      return verifyToken && ROUTER_CALLER;
    }
    if (verifyToken) return `subject ${await verifyToken(request.headers)}`;
    if (requiresRouterSecret) throw new UnauthenticatedError('The Router-Authorization header is missing.');
    // Who carries a token or a secret is no page of another site: no browser adds them by itself.
    if (isAnonymousAllowed && isCrossSite(request, allowedOrigins)) {
      throw new GatewayError(
        'FORBIDDEN',
        'This request comes from a page of another site: this gateway answers its own pages, and those of CORS_ORIGINS.',
      );
    }
    return undefined;
  };
}
