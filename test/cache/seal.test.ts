import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { deflateRaw } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { open, seal } from '#cache/redis/seal.ts';
import { Credential } from '#rest/credential.ts';

const SECRET = 'a secret that the instances share';
const keyOf = (token: string, secret = SECRET) =>
  new Credential(token, secret).deriveKey('sealing');
const KEY = keyOf('sk_one');
const NAME = 'revox:1:one:request';

const CALL = {
  id: 'call-1',
  to_phone_number: '+33612345678',
  transcript: [
    { role: 'agent', content: 'Bonjour, ici Léa du garage Dupont.' },
    { role: 'user', content: 'Quel est le problème ? 🚗' },
  ],
  structured_output: { deep: { list: [1, 2.5, true, null, ''] } },
};

async function sealed(value: unknown = CALL): Promise<Buffer> {
  const bytes = await seal(value, KEY, NAME);
  return bytes as Buffer;
}

describe('Seal', () => {
  test.each([
    ['a call', CALL],
    ['null', null],
    ['a list', [1, [2, []]]],
    ['text', 'é'],
    ['a key from Object.prototype', JSON.parse('{ "__proto__": { "a": 1 }, "constructor": null }')],
  ])('a sealed value opens to the same value: %s', async (_name, value) => {
    const opened = await open(await sealed(value), KEY, NAME);
    expect(JSON.stringify(opened)).toBe(JSON.stringify(value));
  });

  test('an opened value is frozen in depth', async () => {
    const opened = (await open(await sealed(), KEY, NAME)) as typeof CALL;
    for (const inner of [
      opened,
      opened.transcript,
      opened.transcript[1],
      opened.structured_output.deep.list,
    ]) {
      expect(Object.isFrozen(inner)).toBe(true);
    }
  });

  test('every seal of the same value has different bytes', async () => {
    expect((await sealed()).equals(await sealed())).toBe(false);
  });

  test('sealed bytes contain nothing of the value and are smaller than it', async () => {
    const calls = Array.from({ length: 50 }, () => CALL);
    const bytes = await sealed(calls);
    for (const text of ['transcript', 'Dupont', '+33612345678', 'call-1', 'problème'])
      expect(bytes.includes(text)).toBe(false);
    // The compressed text is not visible either.
    const compressed = await promisify(deflateRaw)(JSON.stringify(calls), { level: 1 });
    expect(bytes.includes(compressed.subarray(0, 16))).toBe(false);
    expect(bytes.length).toBeLessThan(JSON.stringify(calls).length / 4);
  });

  test('a value that would expand beyond the limit is not sealed', async () => {
    expect(await seal('x'.repeat(64 * 2 ** 20), KEY, NAME)).toBeUndefined();
  });
});

describe('Opening sealed bytes', () => {
  test.each([
    ['with the key of another credential', keyOf('sk_two')],
    ['with the key of another secret', keyOf('sk_one', 'a secret of another deployment')],
    ['with a key for another purpose', new Credential('sk_one', SECRET).deriveKey('names')],
  ])('sealed bytes do not open %s', async (_name, key) => {
    expect(await open(await sealed(), key, NAME)).toBeUndefined();
  });

  test.each(['revox:1:one:another', 'revox:2:one:request', ''])(
    'sealed bytes do not open under another name: %j',
    async (name) => {
      expect(await open(await sealed(), KEY, name)).toBeUndefined();
    },
  );

  test('sealed bytes with one flipped bit at any position do not open', async () => {
    const bytes = await sealed({ id: 'call-1' });
    for (let offset = 0; offset < bytes.length; offset += 1) {
      const damaged = Buffer.from(bytes);
      damaged[offset] = (damaged[offset] as number) ^ (1 << (offset % 8));
      expect(await open(damaged, KEY, NAME)).toBeUndefined();
    }
    expect(await open(bytes, KEY, NAME)).toEqual({ id: 'call-1' });
  });

  test('sealed bytes that are cut at any position or extended do not open', async () => {
    const bytes = await sealed({ id: 'call-1' });
    for (let length = 0; length < bytes.length; length += 1) {
      expect(await open(bytes.subarray(0, length), KEY, NAME)).toBeUndefined();
      expect(await open(bytes.subarray(bytes.length - length), KEY, NAME)).toBeUndefined();
    }
    expect(await open(Buffer.concat([bytes, Buffer.from([0])]), KEY, NAME)).toBeUndefined();
  });

  test('bytes that were never sealed do not open', async () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('{"value":1}'), randomBytes(500)]) {
      expect(await open(bytes, KEY, NAME)).toBeUndefined();
    }
  });
});
