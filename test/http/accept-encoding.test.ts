import { expect, test } from 'vitest';
import { parseAcceptEncoding } from '#http/headers/accept-encoding.ts';

test.each([
  // Without a header, the response is not encoded.
  [null, 'as it is'],
  ['', 'as it is'],
  // Headers of common clients.
  ['gzip, deflate, br, zstd', 'br'],
  ['gzip, deflate', 'gzip'],
  ['br', 'br'],
  ['GZip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate, zstd', 'as it is'],
  ['*', 'br'],
  // Weights.
  ['gzip;q=1.0, br;q=0.5', 'gzip'],
  ['br;q=0.5, gzip;q=0.500', 'br'],
  ['gzip ; q=0.001', 'gzip'],
  ['br;q=0, gzip', 'gzip'],
  ['br;q=0, *', 'gzip'],
  ['gzip;q=0, *;q=0.1', 'br'],
  ['gzip;q=0', 'as it is'],
  ['br;q=0, gzip;q=0', 'as it is'],
  ['*;q=0, gzip', 'gzip, or nothing'],
  // Identity is the last choice unless it has a higher weight.
  ['identity, gzip', 'gzip'],
  ['identity, gzip;q=0.5', 'as it is'],
  ['identity;q=0.5, gzip;q=0.4, br;q=0.6', 'br'],
  ['identity', 'as it is'],
  ['identity;q=0, br', 'br, or nothing'],
  ['identity;q=0', 'nothing'],
  ['*;q=0', 'nothing'],
  ['*;q=0, identity', 'as it is'],
  ['deflate, identity;q=0', 'nothing'],
  // Invalid weights.
  ['gzip;q=x, br;q=2', 'as it is'],
  ['gzip;q=0.0001', 'as it is'],
  [',,;;q=1,', 'as it is'],
  ['constructor, __proto__', 'as it is'],
])('Accept-Encoding %j selects: %s', (header, expected) => {
  const { encoding, acceptsIdentity } = parseAcceptEncoding(header);
  const suffix = encoding
    ? `${encoding}${acceptsIdentity ? '' : ', or nothing'}`
    : acceptsIdentity
      ? 'as it is'
      : 'nothing';
  expect(suffix).toBe(expected);
});
