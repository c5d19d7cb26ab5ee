import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/**
 * The packages of `processes/package.json` that are missing on this machine, or installed in
 * another version.
 */
const { devDependencies, optionalDependencies } = readJson('package.json');
const missingPackages = Object.entries({ ...devDependencies, ...optionalDependencies }).filter(
  ([name, version]) => readJson(`node_modules/${name}/package.json`).version !== version,
);

export const hasRouters = missingPackages.length === 0;

/**
 * Call it in each suite: it warns when the routers are not installed, and fails in CI, which must
 * have them.
 */
export function expectRouters(): void {
  if (!hasRouters) {
    const names = missingPackages.map((entry) => entry.join('@')).join(', ');
    console.warn(
      `The router tests are skipped: this machine has no ${names}. \`npm run install:routers\` installs them.`,
    );
  }
  test.runIf(process.env.CI === 'true')('CI has the routers', () => {
    expect(missingPackages).toEqual([]);
  });
}

interface PackageJson {
  readonly version?: string;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

function readJson(path: string): PackageJson {
  const file = new URL(`processes/${path}`, import.meta.url);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
}
