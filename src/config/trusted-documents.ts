import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { type ManifestEntry, parseManifest, quote } from './document-manifest.ts';
import { describeFileError } from './file-error.ts';
import { SettingsError } from './settings.ts';

/** A document that clients may name instead of sending it. */
export interface TrustedDocumentFile extends ManifestEntry {
  /** The file that contains it. */
  readonly file: string;
}

interface ReadResult {
  readonly documents: readonly TrustedDocumentFile[];
  readonly problems: readonly string[];
}

/** These files are one document each; every other file is a manifest. */
const GRAPHQL_EXTENSIONS = new Set(['.graphql', '.gql']);
/**
 * These files of a directory are read. A file that `TRUSTED_DOCUMENTS` names itself may have any
 * name.
 */
const READABLE_EXTENSIONS = new Set(['.json', ...GRAPHQL_EXTENSIONS]);

/**
 * Reads what `TRUSTED_DOCUMENTS` names: a file, or all files of a directory and of the directories
 * below it, in the order of their names.
 * @throws SettingsError with every problem and its file; of the files' contents it quotes only ids
 */
export function readTrustedDocuments(path: string): readonly TrustedDocumentFile[] {
  const { documents, problems } = readPath(path);
  const byId = new Map<string, TrustedDocumentFile>();
  const conflicts: string[] = [];
  for (const document of documents) {
    const existing = byId.get(document.id);
    if (!existing) byId.set(document.id, document);
    else if (existing.text !== document.text) {
      conflicts.push(
        `${document.file} has a different document with the id ${quote(document.id)} than ${existing.file}`,
      );
    }
  }
  const noDocuments =
    documents.length + problems.length === 0
      ? [`${path} contains no document: it must contain manifests or GraphQL documents`]
      : [];
  const allProblems = [...problems, ...conflicts, ...noDocuments];
  if (allProblems.length > 0)
    throw new SettingsError(allProblems.map((problem) => `TRUSTED_DOCUMENTS: ${problem}.`));
  return [...byId.values()];
}

function readPath(path: string): ReadResult {
  try {
    const stats = statSync(path);
    if (stats.isDirectory()) return readDirectory(path);
    // A pipe or a device may never end.
    return stats.isFile() ? readFile(path) : failure(`${path} is neither a file nor a directory`);
  } catch (error) {
    return failure(`${path} ${describeFileError(error)}`);
  }
}

/**
 * A name that begins with a dot is no document: `.git`, or the copies that a mounted ConfigMap
 * keeps.
 */
function readDirectory(path: string): ReadResult {
  const results = readdirSync(path, { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith('.') && shouldRead(entry, path))
    .map(({ name }) => name)
    .sort()
    .map((name) => readPath(join(path, name)));
  return {
    documents: results.flatMap(({ documents }) => documents),
    problems: results.flatMap(({ problems }) => problems),
  };
}

/** A link to a file is read. A link to a directory is not followed, because it may lead back. */
function shouldRead(entry: Dirent, folder: string): boolean {
  if (entry.isDirectory()) return true;
  if (!READABLE_EXTENSIONS.has(extname(entry.name))) return false;
  return (
    !entry.isSymbolicLink() ||
    !statSync(join(folder, entry.name), { throwIfNoEntry: false })?.isDirectory()
  );
}

function readFile(file: string): ReadResult {
  const text = decodeUtf8(readFileSync(file));
  if (text === undefined) return failure(`${file} must be UTF-8`);
  const extension = extname(file);
  if (GRAPHQL_EXTENSIONS.has(extension))
    return { documents: [{ id: basename(file, extension), text, file }], problems: [] };
  const { entries, problems } = parseManifest(text);
  return {
    documents: entries.map((entry) => ({ ...entry, file })),
    problems: problems.map((problem) => `${file} ${problem}`),
  };
}

function failure(problem: string): ReadResult {
  return { documents: [], problems: [problem] };
}

/** Decodes UTF-8, without its byte order mark. Undefined for other bytes. */
function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
