import { expect, test } from 'vitest';
import { createResponseBudget } from '#context/response-budget.ts';
import { loadMany } from '#resolvers/ids.ts';

const createContext = (maxErrors: number) => ({
  responseBudget: createResponseBudget({ maxBytes: 2 ** 20, maxErrors }, () => {}),
});
const KEYS = Array.from({ length: 1_000 }, (_, n) => n);

test('loadMany loads each key and returns an error in place of a key that fails synchronously or asynchronously', async () => {
  const context = createContext(2);
  const items = loadMany(
    ['good', 'throws', 'rejects'],
    (key) => {
      if (key === 'throws') throw new Error(key);
      return key === 'rejects' ? Promise.reject(new Error(key)) : Promise.resolve(key);
    },
    context,
  );
  expect(await Promise.all(items)).toEqual(['good', new Error('throws'), new Error('rejects')]);
  expect(context.responseBudget.isExceeded).toBe(false);
});

test('loadMany loads no further key after the response budget is exceeded', async () => {
  const context = createContext(3);
  const loaded: number[] = [];
  const items = loadMany(
    KEYS,
    (key) => {
      loaded.push(key);
      throw new Error('No.');
    },
    context,
  );
  expect(loaded).toEqual([0, 1, 2, 3]);
  // No promise may reject without a handler: that would end the process.
  expect(await Promise.allSettled(items)).toMatchObject(Array(4).fill({ status: 'fulfilled' }));
});
