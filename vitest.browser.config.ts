import { defineConfig } from 'vitest/config';

/** What needs a browser on the machine: apart from `npm test`, which runs everywhere. */
export default defineConfig({
  test: {
    include: ['test/browser/**/*.browser.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
