import { GraphQLError } from 'graphql';

/** What a request names its document by. */
export interface DocumentId {
  /** Without the prefix `sha256:`. */
  readonly id: string;
  /** Where it stands in the request. */
  readonly source: string;
  /** By Apollo's protocol: a client that is told that a hash is not known sends it again with the text. */
  readonly isApq: boolean;
}

/** GraphQL over HTTP's own parameter, and two that are common with Relay. */
export const ID_PARAMETERS = ['documentId', 'doc_id', 'id'];

/**
 * Reads by what a request names its document, if it does.
 * @param params as the request brought them; nothing is known of them yet
 * @throws GraphQLError for what is no name, and for names that differ
 */
export function parseDocumentId(
  request: { readonly method: string; readonly url: string },
  params: object,
): DocumentId | undefined {
  const rawIds = request.method === 'GET' ? readIdsFromUrl(request.url) : readIdsFromBody(params);
  const ids = [...rawIds.map(([source, id]) => toDocumentId(source, id)), ...parseApqExtension(params)];
  const [first] = ids;
  const other = ids.find(({ id }) => id !== first?.id);
  if (first && other) {
    throw invalidDocumentId(
      first.source === other.source
        ? `\`${first.source}\` is given twice and names two documents: give it once.`
        : `\`${first.source}\` and \`${other.source}\` name two documents: give one of them.`,
    );
  }
  return ids.find(({ isApq }) => isApq) ?? first;
}

/** The request itself is wrong, whatever type of answer it takes. */
export function invalidDocumentId(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', http: { status: 400 } } });
}

type RawIds = readonly (readonly [place: string, id: unknown])[];

/** Yoga reads nothing of a URL but the parameters it knows. */
function readIdsFromUrl(url: string): RawIds {
  const { searchParams } = new URL(url);
  return ID_PARAMETERS.flatMap((name) => searchParams.getAll(name).map((id) => [name, id] as const));
}

function readIdsFromBody(params: object): RawIds {
  return Object.entries(params).filter(([name, id]) => ID_PARAMETERS.includes(name) && isPresent(id));
}

function parseApqExtension({ extensions }: { readonly extensions?: unknown }): DocumentId[] {
  // That `extensions` are no object is for Yoga to say.
  if (!isObject(extensions) || !isPresent(extensions.persistedQuery)) return [];
  const { persistedQuery } = extensions;
  if (!isObject(persistedQuery)) throw invalidDocumentId('`extensions.persistedQuery` has to be an object.');
  const { version, sha256Hash } = persistedQuery;
  if (isPresent(version) && version !== 1) throw invalidDocumentId('`extensions.persistedQuery.version` has to be 1.');
  return [{ ...toDocumentId('extensions.persistedQuery.sha256Hash', sha256Hash), isApq: true }];
}

function toDocumentId(source: string, id: unknown): DocumentId {
  if (typeof id !== 'string' || id === '')
    throw invalidDocumentId(`\`${source}\` has to be the id of a document: text, and not empty.`);
  return { id: id.replace(/^sha256:/, ''), source, isApq: false };
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
