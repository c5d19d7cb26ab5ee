import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { Credential } from '#rest/credential.ts';

const TOKEN = 'sk_live_very_secret';

describe('A credential', () => {
  const credential = new Credential(TOKEN);

  test('says its token to the header and to nobody else', () => {
    expect(credential.toAuthorization()).toBe(`Bearer ${TOKEN}`);
  });

  test.each([
    ['inspect', () => inspect(credential, { showHidden: true, depth: null, getters: true })],
    ['inspect from within', () => inspect({ deep: [{ credential }] }, { depth: null })],
    ['console format', () => inspect(new Error('failed', { cause: credential }), { depth: null, showHidden: true })],
    ['JSON', () => JSON.stringify({ credential })],
    ['text', () => `${credential}`],
    ['its keys and values', () => JSON.stringify(Object.entries(credential))],
    ['a spread', () => inspect({ ...credential })],
    ['a structured clone', () => inspect(structuredClone(credential))],
    ['its own properties', () => inspect(Object.getOwnPropertyDescriptors(credential))],
  ])('does not show in %s', (_way, show) => {
    expect(show()).not.toContain(TOKEN);
  });

  test('prints as what it is', () => {
    expect(inspect(credential)).toBe('[credential]');
    expect(JSON.stringify({ credential })).toBe('{"credential":"[credential]"}');
  });

  test('has a fingerprint that is the same for the same key, differs for another, and tells neither', () => {
    expect(new Credential(TOKEN).fingerprint).toBe(credential.fingerprint);
    expect(new Credential('sk_live_other').fingerprint).not.toBe(credential.fingerprint);
    expect(credential.fingerprint).not.toContain(TOKEN);
    expect(Buffer.from(credential.fingerprint, 'base64url').toString('latin1')).not.toContain(TOKEN);
  });
});
