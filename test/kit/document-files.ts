import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';

const root = mkdtempSync(join(tmpdir(), 'documents-'));
afterAll(() => rmSync(root, { recursive: true }));
let directories = 0;

/** Writes files into a directory of their own, objects as JSON, and gives its path. They are gone after the last test of the file. */
export function writeDocuments(files: { readonly [path: string]: string | Uint8Array | object | null }): string {
  directories += 1;
  const directory = join(root, String(directories));
  mkdirSync(directory);
  for (const [path, content] of Object.entries(files)) {
    const file = join(directory, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content));
  }
  return directory;
}
