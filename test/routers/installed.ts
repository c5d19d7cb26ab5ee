import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** What `processes/package.json` asks for and this machine lacks, or has in another version. */
const missingPackages = Object.entries(readJson('package.json').devDependencies ?? {}).filter(
  ([name, version]) => readJson(`node_modules/${name}/package.json`).version !== version,
);

export const hasRouters = missingPackages.length === 0;

/** To be called in each suite: says in plain words when there is nothing to test with, and fails in CI, where there has to be. */
export function expectRouters(): void {
  if (!hasRouters) {
    const names = missingPackages.map((entry) => entry.join('@')).join(', ');
    console.warn(
      `Nothing is tried with routers: this machine has no ${names}. \`npm run install:routers\` brings what is missing.`,
    );
  }
  test.runIf(process.env.CI === 'true')('CI has the routers', () => {
    expect(missingPackages).toEqual([]);
  });
}

function readJson(path: string): { version?: string; devDependencies?: Record<string, string> } {
  const file = new URL(`processes/${path}`, import.meta.url);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
}
