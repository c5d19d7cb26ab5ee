import { GatewayError, UnauthenticatedError } from '#errors/gateway-error.ts';
import { createOriginMatcher } from '#http/headers/allowed-origins.ts';
import type { RequestHead } from '#http/message.ts';
import { isCrossSite } from './cross-site.ts';
import type { VerifyToken } from './jwt.ts';
import type { IsRouter } from './router-secret.ts';

/**
 * Authenticates a request. Returns the name of the caller: the subject of the token, or the common
 * name of all routers. Undefined where callers are not distinguished.
 * @throws GatewayError for a request that is rejected, or rejects with it
 */
export type Authenticate = (request: RequestHead) => string | undefined | Promise<string>;

export interface AuthenticateOptions {
  /**
   * Whether router secrets are configured. A request must then carry a secret or, if `verifyToken`
   * is set, a bearer token.
   */
  readonly hasRouterSecrets: boolean;
  readonly isRouter: IsRouter;
  /** Absent: bearer tokens are not accepted. */
  readonly verifyToken: VerifyToken | undefined;
  /**
   * Whether requests need no authentication: service mode on the loopback interface. Requests from
   * pages of other origins are still rejected.
   */
  readonly isAnonymousAllowed: boolean;
  /** Origins whose pages may send requests, besides the gateway's own. */
  readonly corsOrigins: readonly string[];
}

/**
 * Caller name of every router: a router sends the requests of many users. All routers together
 * count as one caller beside the subjects of tokens. (Without `verifyToken`, callers are not
 * distinguished.)
 */
const ROUTER_CALLER = 'router';

/**
 * Authenticates the clients of the gateway. `context/credential-resolver.ts` decides which
 * credential goes upstream.
 */
export function createAuthenticate({
  hasRouterSecrets,
  isRouter,
  verifyToken,
  isAnonymousAllowed,
  corsOrigins,
}: AuthenticateOptions): Authenticate {
  const isAllowedOrigin = createOriginMatcher(corsOrigins);

  return (request) => {
    if (hasRouterSecrets && request.headers.has('router-authorization')) {
      // A wrong secret is rejected even if the token is valid: the router must get an error.
      if (!isRouter(request.headers))
        throw new UnauthenticatedError('The Router-Authorization header is wrong.');
      return verifyToken && ROUTER_CALLER;
    }
    if (verifyToken) return verifyToken(request.headers).then((subject) => `subject ${subject}`);
    if (hasRouterSecrets)
      throw new UnauthenticatedError('The Router-Authorization header is missing.');
    // Only anonymous requests need this check: a browser adds neither a token nor a secret by
    // itself.
    if (isAnonymousAllowed && isCrossSite(request, isAllowedOrigin)) {
      throw new GatewayError(
        'FORBIDDEN',
        'This request comes from a page of another origin: only the pages of this gateway and of CORS_ORIGINS may send requests.',
      );
    }
    return undefined;
  };
}
