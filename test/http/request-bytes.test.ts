import { describe, expect, test } from 'vitest';
import { createRequestBodyBudget } from '#http/limits/request-body-budget.ts';

const KIB = 1024;
const MIB = 2 ** 20;

function toRequest(bytes: number | undefined, headers: Record<string, string> = {}) {
  return {
    method: 'POST',
    url: 'http://localhost/graphql',
    headers: new Headers(
      bytes === undefined ? headers : { ...headers, 'content-length': String(bytes) },
    ),
  };
}

function createScene() {
  const requests = createRequestBodyBudget({ maxBodyBytes: MIB, maxBytes: 8 * MIB });
  return {
    hold: (owner: string, bytes: number | undefined, headers: Record<string, string> = {}) =>
      requests.reserve(
        { callerKey: owner, isCredentialAccepted: () => true },
        toRequest(bytes, headers),
      ),
  };
}

const RATE_LIMITED = expect.objectContaining({ code: 'RATE_LIMITED', details: { retryAfter: 1 } });

describe('Request body budget', () => {
  test('the bodies of one owner may use half of all bytes, and released bytes are available again', () => {
    const { hold } = createScene();
    const [first] = Array.from({ length: 4 }, () => hold('a', MIB));
    expect(() => hold('a', MIB)).toThrow(RATE_LIMITED);
    first?.release();
    first?.release();
    hold('a', MIB);
    expect(() => hold('a', MIB)).toThrow(RATE_LIMITED);
  });

  test('the bodies of all owners are limited, and an owner below its equal share is accepted', () => {
    const { hold } = createScene();
    for (const owner of ['a', 'b']) for (let n = 0; n < 4; n += 1) hold(owner, MIB);
    expect(() => hold('b', MIB)).toThrow(RATE_LIMITED);
    hold('c', MIB);
    hold('c', MIB);
    expect(() => hold('c', MIB)).toThrow(RATE_LIMITED);
  });

  test('an owner that has released its bytes takes no share any more', () => {
    const { hold } = createScene();
    for (const owner of ['p', 'q', 'r', 's']) hold(owner, MIB).release();
    for (const owner of ['a', 'b']) for (let n = 0; n < 4; n += 1) hold(owner, MIB);
    hold('c', MIB);
    hold('c', MIB);
    expect(() => hold('c', MIB)).toThrow(RATE_LIMITED);
  });

  test('a body of at most 64 KiB is always accepted', () => {
    const { hold } = createScene();
    for (let n = 0; n < 4; n += 1) hold('a', MIB);
    expect(() => hold('a', 64 * KIB)).not.toThrow();
    expect(() => hold('a', 64 * KIB + 1)).toThrow(RATE_LIMITED);
  });

  test('a body without a Content-Length counts chunk by chunk', () => {
    const { hold } = createScene();
    for (let n = 0; n < 3; n += 1) hold('a', MIB);
    const body = hold('a', undefined);
    body.add(MIB - 64 * KIB);
    expect(() => hold('a', undefined).add(65 * KIB)).toThrow(RATE_LIMITED);
    body.release();
    hold('a', undefined).add(MIB);
  });

  test('a body with a Content-Length counts once', () => {
    const { hold } = createScene();
    for (let n = 0; n < 4; n += 1) hold('a', MIB).add(MIB);
    expect(() => hold('a', MIB)).toThrow(RATE_LIMITED);
  });

  test.each(['', 'x', '-1000', '1e9', '0x10', '12, 12', 'NaN', 'Infinity', '1.5'])(
    'a body with the Content-Length "%s", which is no length, counts chunk by chunk',
    (contentLength) => {
      const { hold } = createScene();
      const holdInvalid = () => hold('a', undefined, { 'content-length': contentLength });
      for (let n = 0; n < 4; n += 1) holdInvalid().add(MIB);
      expect(() => holdInvalid().add(65 * KIB)).toThrow(RATE_LIMITED);
      expect(() => hold('a', 65 * KIB)).toThrow(RATE_LIMITED);
      expect(() => hold('b', MIB)).not.toThrow();
    },
  );

  test('an encoded body counts its decoded bytes, whatever its Content-Length', () => {
    const { hold } = createScene();
    for (let n = 0; n < 3; n += 1) hold('a', MIB);
    const encoded = { 'content-encoding': 'gzip' };
    const body = hold('a', 1_000, encoded);
    body.add(MIB);
    expect(() => hold('a', 1_000, encoded).add(65 * KIB)).toThrow(RATE_LIMITED);
    body.release();
    hold('a', 1_000, encoded).add(MIB);
  });

  test('a body over the body limit is left to that limit, and a request without a body reserves nothing', () => {
    const { hold } = createScene();
    for (let n = 0; n < 4; n += 1) hold('a', MIB);
    expect(() => hold('a', 1_000 * MIB)).not.toThrow();
    hold('b', MIB);
    expect(() => hold('a', undefined)).not.toThrow();
  });
});
