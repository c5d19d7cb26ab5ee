import { GatewayError } from '#errors/gateway-error.ts';

/**
 * A bearer token does not admit. Surfaces as the whole answer (HTTP 401, 403), with this challenge in `WWW-Authenticate` (RFC 6750).
 * Neither the token nor what it claims is in the message.
 */
export class InvalidTokenError extends GatewayError {
  readonly challenge: string;

  constructor(code: 'UNAUTHENTICATED' | 'FORBIDDEN', message: string, reason?: 'invalid_token' | 'insufficient_scope') {
    super(code, message);
    this.challenge = reason === undefined ? 'Bearer' : `Bearer error="${reason}"`;
  }
}
