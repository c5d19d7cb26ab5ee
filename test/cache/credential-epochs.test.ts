import { expect, test } from 'vitest';
import { createCredentialEpochs } from '#cache/redis/credential-epochs.ts';

test('A reply of Redis to an earlier query never replaces the epoch that a later query has confirmed', () => {
  const epochs = createCredentialEpochs({ send: async () => undefined }, () => 0);
  const [first, earlier, later] = [epochs.takeFence(), epochs.takeFence(), epochs.takeFence()];
  const known = epochs.observe('fingerprint', 'current epoch', first);
  expect(epochs.observe('fingerprint', 'current epoch', later)).toBe(known);
  expect(epochs.observe('fingerprint', 'old epoch', earlier)).toBeUndefined();
  expect(known && epochs.isCurrent('fingerprint', known)).toBe(true);
});

test('A reply of Redis to an earlier query never replaces the first epoch that this instance has proposed', async () => {
  const proposals: string[] = [];
  const epochs = createCredentialEpochs(
    {
      async send(_hashTag, [, , proposed]) {
        proposals.push(String(proposed));
        return ['OK', Buffer.from(String(proposed))];
      },
    },
    () => 0,
  );
  const first = epochs.takeFence();
  epochs.observe('fingerprint', undefined, first);
  const earlier = epochs.takeFence();
  expect(await epochs.epochAt('fingerprint', 0)).toBe(proposals[0]);
  expect(epochs.observe('fingerprint', undefined, earlier)).toBeUndefined();
  expect(await epochs.epochAt('fingerprint', 0)).toBe(proposals[0]);
  expect(proposals).toHaveLength(1);
});
