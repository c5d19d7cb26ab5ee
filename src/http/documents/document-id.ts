import { GraphQLError } from 'graphql';

/** The id by which a request names its document. */
export interface DocumentId {
  /** Without the prefix `sha256:`. */
  readonly id: string;
  /** The parameter that holds the id. */
  readonly source: string;
  /**
   * Whether the id came by Apollo's protocol for persisted queries (APQ): if the gateway does not
   * know the hash, the client sends the hash and the document.
   */
  readonly isApq: boolean;
}

/** The parameter of GraphQL over HTTP, and two that are common with Relay. */
const ID_PARAMETERS = ['documentId', 'doc_id', 'id'];

/** The parameters of a request as the client sent them, not validated yet. */
export interface RawParams {
  readonly query?: unknown;
  readonly extensions?: unknown;
  readonly [name: string]: unknown;
}

/** An id that declares itself the SHA-256 of a document (GraphQL over HTTP, Appendix A). */
const DECLARED_HASH = /^sha256:[\da-f]{64}$/;

/**
 * Parses the id by which a request names its document. Undefined if it names none.
 *
 * In a request with a `query`, only a hash names the document: Apollo's, or an id with the prefix
 * `sha256:`. Any other id has a meaning for the client only, and is ignored: Relay's network layers
 * send, with each text, the id that Relay's compiler has given to the text.
 * @throws GraphQLError for an invalid id, and for ids that differ
 */
export function parseDocumentId(
  request: { readonly method: string; readonly url: string },
  params: RawParams,
): DocumentId | undefined {
  const namedIds = request.method === 'GET' ? readIdsFromUrl(request.url) : readIdsFromBody(params);
  const rawIds = hasQuery(params) ? namedIds.filter(([, id]) => isDeclaredHash(id)) : namedIds;
  const ids = [
    ...rawIds.map(([source, id]) => toDocumentId(source, id)),
    ...parseApqExtension(params),
  ];
  const [first] = ids;
  const other = ids.find(({ id }) => id !== first?.id);
  if (first && other) {
    throw invalidDocumentId(
      first.source === other.source
        ? `\`${first.source}\` is given twice and names two documents: send it once.`
        : `\`${first.source}\` and \`${other.source}\` name two documents: send one of them.`,
    );
  }
  return ids.find(({ isApq }) => isApq) ?? first;
}

/** Whether a request sends a document. An empty text is none. */
export function hasQuery({ query }: RawParams): boolean {
  return isPresent(query) && query !== '';
}

/** Whether a request has a hash that must agree with its `query`. */
export function hasHash(params: RawParams): boolean {
  const { extensions } = params;
  return (
    (isObject(extensions) && 'persistedQuery' in extensions) ||
    ID_PARAMETERS.some((name) => isDeclaredHash(params[name]))
  );
}

/**
 * Creates the error for an invalid document id: 400 for every media type, because the request
 * itself is wrong.
 */
export function invalidDocumentId(message: string): GraphQLError {
  return new GraphQLError(message, {
    extensions: { code: 'BAD_USER_INPUT', http: { status: 400 } },
  });
}

type RawIds = readonly (readonly [source: string, id: unknown])[];

/**
 * Reads document ids from a URL. Yoga reads only the parameters `query`, `variables`,
 * `operationName` and `extensions` of a URL.
 */
function readIdsFromUrl(url: string): RawIds {
  const { searchParams } = new URL(url);
  return ID_PARAMETERS.flatMap((name) =>
    searchParams.getAll(name).map((id) => [name, id] as const),
  );
}

function readIdsFromBody(params: RawParams): RawIds {
  return ID_PARAMETERS.map((name) => [name, params[name]] as const).filter(([, id]) =>
    isPresent(id),
  );
}

function parseApqExtension({ extensions }: RawParams): DocumentId[] {
  // Yoga rejects `extensions` that are not an object.
  if (!isObject(extensions) || !isPresent(extensions.persistedQuery)) return [];
  const { persistedQuery } = extensions;
  if (!isObject(persistedQuery))
    throw invalidDocumentId('`extensions.persistedQuery` must be an object.');
  const { version, sha256Hash } = persistedQuery;
  if (isPresent(version) && version !== 1)
    throw invalidDocumentId('`extensions.persistedQuery.version` must be 1.');
  return [{ ...toDocumentId('extensions.persistedQuery.sha256Hash', sha256Hash), isApq: true }];
}

function toDocumentId(source: string, id: unknown): DocumentId {
  if (typeof id !== 'string' || id === '')
    throw invalidDocumentId(`\`${source}\` must be the id of a document: a non-empty string.`);
  return { id: id.replace(/^sha256:/, ''), source, isApq: false };
}

function isDeclaredHash(id: unknown): boolean {
  return typeof id === 'string' && DECLARED_HASH.test(id);
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
