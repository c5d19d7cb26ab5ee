/** Codings of request bodies that the gateway decodes. */
export const CONTENT_CODINGS = ['gzip', 'br', 'deflate'] as const;

export type ContentCoding = (typeof CONTENT_CODINGS)[number];

/**
 * Parses `Content-Encoding`. Undefined for a body that is not encoded, null for an unknown coding.
 * Several codings count as unknown: each would multiply what a few bytes expand to.
 */
export function parseContentEncoding(header: string | null): ContentCoding | null | undefined {
  const coding =
    header
      ?.trim()
      .toLowerCase()
      .replace(/^x-gzip$/, 'gzip') ?? '';
  if (coding === '' || coding === 'identity') return undefined;
  return CONTENT_CODINGS.find((known) => known === coding) ?? null;
}
