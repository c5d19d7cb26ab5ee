import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { brokenLinksOf } from './support/markdown-links.ts';

const ROOT = join(import.meta.dirname, '..');
const documents = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

describe.each(documents)('Document %s', (path) => {
  const text = readFileSync(join(ROOT, path), 'utf8');

  test(`${path} names only files that exist`, () => {
    const named = Array.from(
      text.matchAll(/`((?:test|src|schema|sdl|docs)\/[\w./-]+\.\w+)`/g),
      ([, name]) => name ?? '',
    );
    expect(named.filter((name) => !existsSync(join(ROOT, name)))).toEqual([]);
  });

  test(`${path} has no broken links`, () => {
    expect(brokenLinksOf(join(ROOT, path))).toEqual([]);
  });
});
