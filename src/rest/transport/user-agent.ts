import { VERSION } from '#generated/version.ts';

/**
 * The `User-Agent` of every request that the gateway sends (RFC 9110, 10.1.5). Managed rules of
 * firewalls refuse requests without one.
 * @param comment the text between the parentheses of the comment
 */
export function toUserAgent(comment: string | undefined): string {
  const product = `revox-graphql-gateway/${VERSION}`;
  return comment === undefined ? product : `${product} (${comment})`;
}
