/** Codings of request bodies that the gateway decodes. */
export const CONTENT_CODINGS = ['gzip', 'br', 'deflate'] as const;

export type ContentCoding = (typeof CONTENT_CODINGS)[number];

/**
 * Parses `Content-Encoding`. Undefined for a body that is not encoded, null for an unknown coding.
 * A header with more than one coding counts as unknown: each further coding would multiply the size
 * to which a few bytes can expand.
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
