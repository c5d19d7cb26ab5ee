import { memoizeHeader } from './memoize-header.ts';

/** How a `Content-Type` describes a request body. */
export interface BodyType {
  readonly isJson: boolean;
  /** Whether its charset is UTF-8, or is not stated: JSON is UTF-8 (RFC 8259, 8.1). */
  readonly isUtf8: boolean;
}

/**
 * Parses `Content-Type` as RFC 9110 (8.3.1) defines it: type, names and charset are case-insensitive,
 * white space may surround `;`, and a value may be quoted. Of a list, which is invalid but sent by
 * some clients, the first type counts.
 */
export const parseContentType: (header: string) => BodyType = memoizeHeader((header) => {
  const [type = '', ...parameters] = (header.split(',')[0] ?? '')
    .split(';')
    .map((part) => part.trim().toLowerCase());
  return {
    isJson: type === 'application/json' || type === 'application/graphql+json',
    isUtf8: parameters
      .filter((parameter) => parameter.startsWith('charset='))
      .every((parameter) => /^charset=("utf-?8"|utf-?8)$/.test(parameter)),
  };
});

/** Whether a request body is JSON in UTF-8. */
export function isJsonContentType(header: string | null): boolean {
  if (header === 'application/json') return true;
  const { isJson, isUtf8 } = parseContentType(header ?? '');
  return isJson && isUtf8;
}
