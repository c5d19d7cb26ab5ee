import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

function versionsIn(path: string): Record<string, string> {
  const manifest: Manifest = JSON.parse(readFileSync(join(ROOT, path), 'utf8'));
  return { ...manifest.dependencies, ...manifest.devDependencies };
}

test('the Relay compiler of the example has the version of the runtime that runs its artifacts', () => {
  const tested = versionsIn('package.json');
  const { 'relay-compiler': compiler, ...example } = versionsIn('examples/relay/package.json');
  expect(compiler).toMatch(/^\d+\.\d+\.\d+$/);
  expect(tested['relay-runtime']).toBe(compiler);
  for (const name of ['react-relay', 'relay-runtime', 'babel-plugin-relay'])
    expect.soft(`${name} ${example[name]}`).toBe(`${name} ${compiler}`);
});
