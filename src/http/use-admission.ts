import { createHash, timingSafeEqual } from 'node:crypto';
import type { Plugin } from 'graphql-yoga';
import type { RequestContext } from '#context/request-context.ts';
import { GatewayError, UnauthenticatedError } from '#errors/gateway-error.ts';
import { toRefusal } from './refusal.ts';

/** Opens an operation for a request that has been let in. */
export type OpenOperation = (client: AbortSignal) => RequestContext;

/** Says who a request is for. Throws a GatewayError for one that may not enter. */
export type Admit = (request: Request) => OpenOperation;

const STATUS: { readonly [code: string]: number } = { UNAUTHENTICATED: 401, FORBIDDEN: 403 };

/**
 * Lets nothing in that does not say who it is, before a byte of the body is read. The GraphiQL page is for everyone: it shows
 * nothing, and what it asks comes through here.
 */
export function useAdmission(admit: Admit, endpoint: string): Plugin<object, { operation: OpenOperation }> {
  return {
    onRequest({ request, url, serverContext, endResponse }) {
      if (url.pathname !== endpoint) return;
      try {
        serverContext.operation = admit(request);
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        const takesResponseJson = request.headers.get('accept')?.includes('application/graphql-response+json');
        endResponse(
          toRefusal(error.code, error.message, {
            status: STATUS[error.code] ?? 400,
            headers: {
              ...(takesResponseJson ? { 'content-type': 'application/graphql-response+json; charset=utf-8' } : {}),
              ...(error.code === 'UNAUTHENTICATED' ? { 'www-authenticate': 'Bearer' } : {}),
            },
          }),
        );
      }
    },
  };
}

/**
 * Checks `Router-Authorization` against the secrets, in constant time; all of them are compared, whichever fits.
 * @throws UnauthenticatedError when it is missing or wrong
 */
export function createRouterCheck(secrets: readonly string[]): (headers: Headers) => void {
  const isRouter = createIsRouter(secrets);
  return (headers) => {
    if (secrets.length > 0 && !isRouter(headers))
      throw new UnauthenticatedError('The Router-Authorization header is missing or wrong.');
  };
}

/** Tells whether a request carries one of the secrets. Nobody does, where there are none. */
export function createIsRouter(secrets: readonly string[]): (headers: Headers) => boolean {
  const digests = secrets.map(digest);
  return (headers) => {
    const given = digest(headers.get('router-authorization') ?? '');
    return digests.map((known) => timingSafeEqual(known, given)).includes(true);
  };
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
