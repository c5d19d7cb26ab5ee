import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/**
 * Writes files into a new directory, objects as JSON, and returns its path.
 * @param onDone registers the removal of the directory: after the test by default; `afterAll` for a
 * whole file
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
    writeFileSync(
      file,
      typeof content === 'string' || content instanceof Uint8Array
        ? content
        : JSON.stringify(content),
    );
  }
  return directory;
}
