import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/**
 * Writes files into a directory of their own, objects as JSON, and gives its path.
 * @param onDone when they go: after the test; of a whole file's tests, `afterAll`
 */
export function writeDocuments(
  files: { readonly [path: string]: string | Uint8Array | object | null },
  onDone: (remove: () => void) => void = onTestFinished,
): string {
  const directory = mkdtempSync(join(tmpdir(), 'documents-'));
  onDone(() => rmSync(directory, { recursive: true }));
  for (const [path, content] of Object.entries(files)) {
    const file = join(directory, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content));
  }
  return directory;
}
