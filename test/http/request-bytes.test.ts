import { describe, expect, test } from 'vitest';
import { createRequestBodyBudget } from '#http/limits/request-body-budget.ts';

const KIB = 1024;
const MIB = 2 ** 20;

function toRequest(bytes: number | undefined) {
  return {
    method: 'POST',
    url: 'http://localhost/graphql',
    headers: new Headers(bytes === undefined ? {} : { 'content-length': String(bytes) }),
  };
}

function createScene() {
  const requests = createRequestBodyBudget({ maxBodyBytes: MIB, maxBytes: 8 * MIB });
  return {
    hold: (owner: string, bytes: number | undefined) =>
      requests.reserve({ callerKey: owner, isCredentialAccepted: () => true }, toRequest(bytes)),
  };
}

const RATE_LIMITED = expect.objectContaining({ code: 'RATE_LIMITED', details: { retryAfter: 1 } });

describe('The bodies of requests under way', () => {
  test('of one owner take half of all bytes, and what is released may be taken again', () => {
    const { hold } = createScene();
    const [first] = Array.from({ length: 4 }, () => hold('a', MIB));
    expect(() => hold('a', MIB)).toThrow(RATE_LIMITED);
    first?.release();
    first?.release();
    hold('a', MIB);
    expect(() => hold('a', MIB)).toThrow(RATE_LIMITED);
  });

  test('of all owners are bounded, and an owner below its equal share is not refused', () => {
    const { hold } = createScene();
    for (const owner of ['a', 'b']) for (let n = 0; n < 4; n += 1) hold(owner, MIB);
    expect(() => hold('b', MIB)).toThrow(RATE_LIMITED);
    hold('c', MIB);
    hold('c', MIB);
    expect(() => hold('c', MIB)).toThrow(RATE_LIMITED);
  });

  test('are never refused when they are small, however many bytes are under way', () => {
    const { hold } = createScene();
    for (let n = 0; n < 4; n += 1) hold('a', MIB);
    expect(() => hold('a', 64 * KIB)).not.toThrow();
    expect(() => hold('a', 64 * KIB + 1)).toThrow(RATE_LIMITED);
  });

  test('count part by part where they do not say their length', () => {
    const { hold } = createScene();
    for (let n = 0; n < 3; n += 1) hold('a', MIB);
    const body = hold('a', undefined);
    body.add(MIB - 64 * KIB);
    expect(() => hold('a', undefined).add(65 * KIB)).toThrow(RATE_LIMITED);
    body.release();
    hold('a', undefined).add(MIB);
  });

  test('count once where they say their length', () => {
    const { hold } = createScene();
    for (let n = 0; n < 4; n += 1) hold('a', MIB).add(MIB);
    expect(() => hold('a', MIB)).toThrow(RATE_LIMITED);
  });

  test('are left to the limit of one body where they are longer than that, and a request without a body takes nothing', () => {
    const { hold } = createScene();
    for (let n = 0; n < 4; n += 1) hold('a', MIB);
    expect(() => hold('a', 1_000 * MIB)).not.toThrow();
    hold('b', MIB);
    expect(() => hold('a', undefined)).not.toThrow();
  });
});
