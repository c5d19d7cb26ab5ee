import { GatewayError } from '#errors/gateway-error.ts';

/**
 * A bearer token is missing or rejected. The gateway rejects the request with HTTP 401 or 403, and
 * with this challenge in `WWW-Authenticate` (RFC 6750). The message contains neither the token nor
 * its claims.
 */
export class InvalidTokenError extends GatewayError {
  readonly challenge: string;

  constructor(
    code: 'UNAUTHENTICATED' | 'FORBIDDEN',
    message: string,
    reason?: 'invalid_token' | 'insufficient_scope',
  ) {
    super(code, message);
    this.challenge = reason === undefined ? 'Bearer' : `Bearer error="${reason}"`;
  }
}
