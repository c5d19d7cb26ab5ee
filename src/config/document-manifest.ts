/** A document, and what it is named by, without the prefix `sha256:`. */
export interface ManifestEntry {
  readonly id: string;
  readonly text: string;
}

export interface Manifest {
  readonly entries: readonly ManifestEntry[];
  /** Each goes on after the file's name. */
  readonly faults: readonly string[];
}

const APOLLO_FORMAT = 'apollo-persisted-query-manifest';
const KINDS = `Apollo's manifest (\`"format": "${APOLLO_FORMAT}"\`), or an object of ids and documents`;

/** Reads a manifest in the format of Apollo, or in that of Relay, graphql-codegen and gql.tada: `{ "<id>": "<document>" }`. */
export function readManifest(json: string): Manifest {
  const manifest = parse(json);
  if (manifest === undefined) return failed(`is no JSON: it has to be ${KINDS}`);
  if (!isObject(manifest)) return failed(`has to be ${KINDS}`);
  if (!('format' in manifest)) {
    return toManifest(Object.entries(manifest).map(([id, text]) => ({ id, text, place: `at ${quote(id)}` })));
  }
  const { format, version, operations } = manifest;
  if (format !== APOLLO_FORMAT) return failed(`has an unknown \`format\`: it has to be ${KINDS}`);
  if (version !== 1) return failed('has to be of `version` 1');
  if (!Array.isArray(operations)) return failed('has to have a list of `operations`');
  return toManifest(
    operations.map((operation: unknown, index) => {
      const { id, body } = isObject(operation) ? operation : {};
      return { id, text: body, place: `in \`operations[${index}]\`` };
    }),
  );
}

function toManifest(found: readonly { id: unknown; text: unknown; place: string }[]): Manifest {
  const entries: ManifestEntry[] = [];
  const faults: string[] = [];
  for (const { id, text, place } of found) {
    if (typeof id !== 'string' || id === '') faults.push(`has no id ${place}: it has to be text, and not empty`);
    else if (typeof text !== 'string') faults.push(`has no document ${place}: it has to be text`);
    else entries.push({ id: id.replace(/^sha256:/, ''), text });
  }
  return { entries, faults };
}

function failed(fault: string): Manifest {
  return { entries: [], faults: [fault] };
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** As much of an id as a message should hold, on one line. */
export function quote(id: string): string {
  return JSON.stringify(id.slice(0, 100));
}
