import { createHash } from 'node:crypto';
import type { HeaderWriter } from '#http/message.ts';

/** On every answer. What is no page may load nothing, stand in no frame, and be taken for nothing else. */
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
export function setSecurityHeaders(headers: HeaderWriter, pageContentSecurityPolicy: string | undefined): void {
  for (const [name, value] of SECURITY_HEADER_ENTRIES) headers.set(name, value);
  if (pageContentSecurityPolicy !== undefined && headers.get('content-type')?.startsWith('text/html')) {
    headers.set('content-security-policy', pageContentSecurityPolicy);
  }
}

/**
 * What a page may do that holds all it needs: run the scripts that are in it and no others, and ask its own origin. Its editor writes
 * styles as it goes, brings its fonts and pictures along, and starts its workers from what it has in hand.
 */
export function toContentSecurityPolicy(html: string): string {
  const scripts = [...html.matchAll(/<script>(.*?)<\/script>/gs)].map(([, script = '']) => `'sha256-${digest(script)}'`);
  return [
    "default-src 'none'",
    `script-src ${scripts.join(' ')}`,
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
