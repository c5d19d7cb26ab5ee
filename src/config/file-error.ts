/** Describes why a file that a setting names cannot be read; continues a sentence with its name. */
export function describeFileError(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
  return code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`;
}
