import { GraphQLError, type GraphQLSchema, parse, validate } from 'graphql';
import type { TrustedDocument } from './document-store.ts';

/** So many are told; what is wrong with one is often wrong with all. */
const MAX_REPORTED_DOCUMENTS = 20;

/**
 * Says which documents are none for this schema, a line each. That is no reason not to start: they may be those of an old client, which gets
 * the same errors as before.
 */
export function findInvalidDocuments(
  schema: GraphQLSchema,
  documents: readonly (TrustedDocument & { readonly file: string })[],
): string[] {
  const lines = documents.flatMap(({ id, text, file }) => {
    const problem = findValidationError(schema, text);
    // On one line, whatever is in it: both come from a file.
    return problem === undefined ? [] : [`${file}, ${JSON.stringify(id)}: ${problem.replace(/\s+/g, ' ')}`];
  });
  const unreported = lines.length - MAX_REPORTED_DOCUMENTS;
  const reported = lines.slice(0, MAX_REPORTED_DOCUMENTS).map((line) => `A trusted document is none for this schema: ${line}`);
  return unreported > 0 ? [...reported, `${unreported} more trusted documents are none for this schema.`] : reported;
}

function findValidationError(schema: GraphQLSchema, text: string): string | undefined {
  try {
    return validate(schema, parse(text))[0]?.message;
  } catch (error) {
    return error instanceof GraphQLError ? error.message : 'The document is nested too deep.';
  }
}
