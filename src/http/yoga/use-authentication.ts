import type { Plugin } from 'graphql-yoga';
import { type OpenSession, type Session, toGatewayErrorResponse } from '#http/auth/session.ts';
import type { PendingBody } from '#http/limits/request-body-budget.ts';
import { recordCaller } from '#http/message.ts';

/** The part of Yoga's context that `useAuthentication` fills. */
interface AuthenticationContext {
  session?: Session | undefined;
  /** Its reservation is released when the response is complete. */
  readonly pendingBody: PendingBody;
}

/**
 * Rejects an unauthenticated request before a byte of its body is read. The GraphiQL page needs no
 * authentication: it shows no data, and its own requests are authenticated here.
 */
export function useAuthentication(openSession: OpenSession): Plugin<object, AuthenticationContext> {
  return {
    async onRequest({ request, serverContext, endResponse }) {
      if (serverContext.session) return;
      try {
        serverContext.session = await openSession(request);
        serverContext.pendingBody.reservation = serverContext.session.reserveBody(request);
        recordCaller(request, serverContext.session);
      } catch (error) {
        endResponse(toGatewayErrorResponse(error, request));
      }
    },
  };
}
