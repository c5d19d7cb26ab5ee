import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { type ManifestEntry, quote, readManifest } from './document-manifest.ts';
import { SettingsError } from './settings.ts';

/** A document that clients may name instead of sending it. */
export interface TrustedDocument extends ManifestEntry {
  /** Where it was read. */
  readonly file: string;
}

interface Reading {
  readonly documents: readonly TrustedDocument[];
  readonly faults: readonly string[];
}

/** A document by itself; everything else is a manifest. */
const GRAPHQL_FILES = new Set(['.graphql', '.gql']);
/** What is read in a directory. A file that `TRUSTED_DOCUMENTS` names itself may be called anything. */
const READ_FILES = new Set(['.json', ...GRAPHQL_FILES]);

/**
 * Reads what `TRUSTED_DOCUMENTS` names: a file, or all files of a directory and those below it, in the order of their names.
 * @throws SettingsError naming every fault with its file, and nothing of what is in it but ids
 */
export function readTrustedDocuments(path: string): readonly TrustedDocument[] {
  const { documents, faults } = readPath(path);
  const byId = new Map<string, TrustedDocument>();
  const clashes: string[] = [];
  for (const document of documents) {
    const known = byId.get(document.id);
    if (!known) byId.set(document.id, document);
    else if (known.text !== document.text) {
      clashes.push(`${document.file} has another document of the id ${quote(document.id)} than ${known.file}`);
    }
  }
  const emptiness =
    documents.length + faults.length === 0 ? [`${path} holds no document: it has to hold manifests or GraphQL documents`] : [];
  const all = [...faults, ...clashes, ...emptiness];
  if (all.length > 0) throw new SettingsError(all.map((fault) => `TRUSTED_DOCUMENTS: ${fault}.`));
  return [...byId.values()];
}

function readPath(path: string): Reading {
  try {
    const stats = statSync(path);
    if (stats.isDirectory()) return readDirectory(path);
    // A pipe or a device may have no end.
    return stats.isFile() ? readFile(path) : failed(`${path} is neither a file nor a directory`);
  } catch (error) {
    return failed(`${path} ${toReason(error)}`);
  }
}

/** What begins with a dot is no document of anyone's: `.git`, or the copies that a mounted ConfigMap keeps. */
function readDirectory(path: string): Reading {
  const readings = readdirSync(path, { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith('.') && isRead(entry, path))
    .map(({ name }) => name)
    .sort()
    .map((name) => readPath(join(path, name)));
  return { documents: readings.flatMap(({ documents }) => documents), faults: readings.flatMap(({ faults }) => faults) };
}

/** A link to a file is read; one to a directory is not followed, for it may lead back. */
function isRead(entry: Dirent, folder: string): boolean {
  if (entry.isDirectory()) return true;
  if (!READ_FILES.has(extname(entry.name))) return false;
  return !entry.isSymbolicLink() || !statSync(join(folder, entry.name), { throwIfNoEntry: false })?.isDirectory();
}

function readFile(file: string): Reading {
  const text = decode(readFileSync(file));
  if (text === undefined) return failed(`${file} has to be UTF-8`);
  const extension = extname(file);
  if (GRAPHQL_FILES.has(extension)) return { documents: [{ id: basename(file, extension), text, file }], faults: [] };
  const { entries, faults } = readManifest(text);
  return { documents: entries.map((entry) => ({ ...entry, file })), faults: faults.map((fault) => `${file} ${fault}`) };
}

function failed(fault: string): Reading {
  return { documents: [], faults: [fault] };
}

/** Without a byte order mark. */
function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function toReason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
  return code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`;
}
