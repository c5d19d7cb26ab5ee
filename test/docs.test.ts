import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const documents = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`),
];

describe.each(documents)('%s', (path) => {
  const text = readFileSync(join(ROOT, path), 'utf8');

  test('names files that are there', () => {
    const named = Array.from(text.matchAll(/`((?:test|src|schema|sdl|docs)\/[\w./-]+\.\w+)`/g), ([, name]) => name ?? '');
    expect(named.filter((name) => !existsSync(join(ROOT, name)))).toEqual([]);
  });

  test('links to places that are there', () => {
    const links = Array.from(text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g), ([, to = '', heading]) => ({
      to,
      heading,
    }));
    const broken = links.filter(({ to, heading }) => {
      const target = to === '' ? join(ROOT, path) : join(ROOT, dirname(path), to);
      return !existsSync(target) || (heading !== undefined && !headingsOf(readFileSync(target, 'utf8')).includes(heading));
    });
    expect(broken).toEqual([]);
  });
});

/** As GitHub makes anchors of them. */
function headingsOf(text: string): string[] {
  return Array.from(text.matchAll(/^#+ (.+)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
