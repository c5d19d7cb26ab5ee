import { GraphQLError } from 'graphql';

/** What a request names its document by. */
export interface DocumentName {
  /** Without the prefix `sha256:`. */
  readonly id: string;
  /** Where it stands in the request. */
  readonly place: string;
  /** By Apollo's protocol: a client that is told that a hash is not known sends it again with the text. */
  readonly isAutomatic: boolean;
}

/** GraphQL over HTTP's own parameter, and two that are common with Relay. */
export const NAMING_PARAMETERS = ['documentId', 'doc_id', 'id'];

/**
 * Reads by what a request names its document, if it does.
 * @param params as the request brought them; nothing is known of them yet
 * @throws GraphQLError for what is no name, and for names that differ
 */
export function readDocumentName(
  request: { readonly method: string; readonly url: string },
  params: object,
): DocumentName | undefined {
  const given = request.method === 'GET' ? readUrl(request.url) : readBody(params);
  const names = [...given.map(([place, id]) => toName(place, id)), ...readExtension(params)];
  const [first] = names;
  const other = names.find(({ id }) => id !== first?.id);
  if (first && other) {
    throw toRefusedName(
      first.place === other.place
        ? `\`${first.place}\` is given twice and names two documents: give it once.`
        : `\`${first.place}\` and \`${other.place}\` name two documents: give one of them.`,
    );
  }
  return names.find(({ isAutomatic }) => isAutomatic) ?? first;
}

/** The request itself is wrong, whatever type of answer it takes. */
export function toRefusedName(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', http: { status: 400 } } });
}

type Given = readonly (readonly [place: string, id: unknown])[];

/** Yoga reads nothing of a URL but the parameters it knows. */
function readUrl(url: string): Given {
  const { searchParams } = new URL(url);
  return NAMING_PARAMETERS.flatMap((name) => searchParams.getAll(name).map((id) => [name, id] as const));
}

function readBody(params: object): Given {
  return Object.entries(params).filter(([name, id]) => NAMING_PARAMETERS.includes(name) && isGiven(id));
}

function readExtension({ extensions }: { readonly extensions?: unknown }): DocumentName[] {
  // That `extensions` are no object is for Yoga to say.
  if (!isObject(extensions) || !isGiven(extensions.persistedQuery)) return [];
  const { persistedQuery } = extensions;
  if (!isObject(persistedQuery)) throw toRefusedName('`extensions.persistedQuery` has to be an object.');
  const { version, sha256Hash } = persistedQuery;
  if (isGiven(version) && version !== 1) throw toRefusedName('`extensions.persistedQuery.version` has to be 1.');
  return [{ ...toName('extensions.persistedQuery.sha256Hash', sha256Hash), isAutomatic: true }];
}

function toName(place: string, id: unknown): DocumentName {
  if (typeof id !== 'string' || id === '')
    throw toRefusedName(`\`${place}\` has to be the id of a document: text, and not empty.`);
  return { id: id.replace(/^sha256:/, ''), place, isAutomatic: false };
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
