/** A document and its id, without the prefix `sha256:`. */
export interface ManifestEntry {
  readonly id: string;
  readonly text: string;
}

export interface Manifest {
  readonly entries: readonly ManifestEntry[];
  /** Each continues a sentence that begins with the name of the file. */
  readonly problems: readonly string[];
}

const APOLLO_FORMAT = 'apollo-persisted-query-manifest';
const SUPPORTED_FORMATS = `Apollo's manifest (\`"format": "${APOLLO_FORMAT}"\`), or an object of ids and documents`;

/**
 * Parses a manifest in the format of Apollo, or in that of Relay, graphql-codegen and gql.tada: `{
 * "<id>": "<document>" }`.
 */
export function parseManifest(json: string): Manifest {
  const manifest = parseJson(json);
  if (manifest === undefined) return failure(`is not JSON: it must be ${SUPPORTED_FORMATS}`);
  if (!isObject(manifest)) return failure(`must be ${SUPPORTED_FORMATS}`);
  if (!('format' in manifest)) {
    return toManifest(
      Object.entries(manifest).map(([id, text]) => ({ id, text, location: `at ${quote(id)}` })),
    );
  }
  const { format, version, operations } = manifest;
  if (format !== APOLLO_FORMAT)
    return failure(`has an unknown \`format\`: it must be ${SUPPORTED_FORMATS}`);
  if (version !== 1) return failure('must have `version` 1');
  if (!Array.isArray(operations)) return failure('must have a list of `operations`');
  return toManifest(
    operations.map((operation: unknown, index) => {
      const { id, body } = isObject(operation) ? operation : {};
      return { id, text: body, location: `in \`operations[${index}]\`` };
    }),
  );
}

function toManifest(
  rawEntries: readonly { id: unknown; text: unknown; location: string }[],
): Manifest {
  const entries: ManifestEntry[] = [];
  const problems: string[] = [];
  for (const { id, text, location } of rawEntries) {
    if (typeof id !== 'string' || id === '')
      problems.push(`has no id ${location}: it must be a non-empty string`);
    else if (typeof text !== 'string')
      problems.push(`has no document ${location}: it must be a string`);
    else entries.push({ id: id.replace(/^sha256:/, ''), text });
  }
  return { entries, problems };
}

function failure(problem: string): Manifest {
  return { entries: [], problems: [problem] };
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Quotes the part of an id that fits into a message, on one line. */
export function quote(id: string): string {
  return JSON.stringify(id.slice(0, 100));
}
