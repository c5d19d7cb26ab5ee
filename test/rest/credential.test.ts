import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { Credential } from '#rest/credential.ts';

const TOKEN = 'sk_live_very_secret';

describe('Credential', () => {
  const credential = new Credential(TOKEN);

  test('a credential reveals its token in the Authorization header only', () => {
    expect(credential.toAuthorization()).toBe(`Bearer ${TOKEN}`);
  });

  test.each([
    ['inspect', () => inspect(credential, { showHidden: true, depth: null, getters: true })],
    ['inspect from within', () => inspect({ deep: [{ credential }] }, { depth: null })],
    [
      'a console format',
      () => inspect(new Error('failed', { cause: credential }), { depth: null, showHidden: true }),
    ],
    ['JSON', () => JSON.stringify({ credential })],
    ['text', () => `${credential}`],
    ['Object.entries', () => JSON.stringify(Object.entries(credential))],
    ['a spread', () => inspect({ ...credential })],
    ['a structured clone', () => inspect(structuredClone(credential))],
    ['its property descriptors', () => inspect(Object.getOwnPropertyDescriptors(credential))],
  ])('a credential does not show its token in %s', (_way, show) => {
    expect(show()).not.toContain(TOKEN);
  });

  test('a credential prints as [credential]', () => {
    expect(inspect(credential)).toBe('[credential]');
    expect(JSON.stringify({ credential })).toBe('{"credential":"[credential]"}');
  });

  test('the fingerprint is the same for the same key, differs for another key, and does not contain the token', () => {
    expect(new Credential(TOKEN).fingerprint).toBe(credential.fingerprint);
    expect(new Credential('sk_live_other').fingerprint).not.toBe(credential.fingerprint);
    expect(credential.fingerprint).not.toContain(TOKEN);
    expect(Buffer.from(credential.fingerprint, 'base64url').toString('latin1')).not.toContain(
      TOKEN,
    );
  });
});
