import { createHash } from 'node:crypto';
import type { HeaderWriter } from '#http/message.ts';

/**
 * Set on every response. A response that is not a page must load nothing, must not be framed, and
 * must not be taken for another type.
 */
export const SECURITY_HEADERS: { readonly [name: string]: string } = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

const SECURITY_HEADER_ENTRIES = Object.entries(SECURITY_HEADERS);

/** @param pageContentSecurityPolicy the content security policy of the GraphiQL page */
export function setSecurityHeaders(
  headers: HeaderWriter,
  pageContentSecurityPolicy: string | undefined,
): void {
  for (const [name, value] of SECURITY_HEADER_ENTRIES) headers.set(name, value);
  if (
    pageContentSecurityPolicy !== undefined &&
    headers.get('content-type')?.startsWith('text/html')
  ) {
    headers.set('content-security-policy', pageContentSecurityPolicy);
  }
}

/**
 * The content security policy of a self-contained page: it may run only the scripts in it, and send
 * requests only to its own origin. The page's editor writes styles at run time, embeds its fonts
 * and images, and starts its workers from blobs.
 */
export function toContentSecurityPolicy(html: string): string {
  const scripts = [...html.matchAll(/<script>(.*?)<\/script>/gs)].map(
    ([, script = '']) => `'sha256-${digest(script)}'`,
  );
  return [
    "default-src 'none'",
    `script-src ${scripts.join(' ') || "'none'"}`,
    "style-src 'unsafe-inline'",
    "connect-src 'self'",
    'font-src data:',
    'img-src data:',
    'worker-src blob:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function digest(script: string): string {
  return createHash('sha256').update(script).digest('base64');
}
