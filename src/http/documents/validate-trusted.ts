import { GraphQLError, type GraphQLSchema, parse, validate } from 'graphql';
import type { TrustedDocument } from './document-store.ts';

/** Maximum number of reported documents: what is wrong with one is often wrong with all. */
const MAX_REPORTED_DOCUMENTS = 20;

/**
 * Finds the documents that are not valid against the schema, one line each. The gateway starts
 * nevertheless: an invalid document may belong to an old client, which then gets validation errors.
 */
export function findInvalidDocuments(
  schema: GraphQLSchema,
  documents: readonly (TrustedDocument & { readonly file: string })[],
): string[] {
  const lines = documents.flatMap(({ id, text, file }) => {
    const problem = findValidationError(schema, text);
    // Whitespace is collapsed, because the message quotes a file and may contain line ends.
    return problem === undefined
      ? []
      : [
          `Trusted document ${JSON.stringify(id)} (${file}) is not valid against the schema: ${problem.replace(/\s+/g, ' ')}`,
        ];
  });
  const unreported = lines.length - MAX_REPORTED_DOCUMENTS;
  const reported = lines.slice(0, MAX_REPORTED_DOCUMENTS);
  return unreported > 0
    ? [...reported, `${unreported} more trusted documents are not valid against the schema.`]
    : reported;
}

function findValidationError(schema: GraphQLSchema, text: string): string | undefined {
  try {
    return validate(schema, parse(text))[0]?.message;
  } catch (error) {
    return error instanceof GraphQLError ? error.message : 'The document is nested too deep.';
  }
}
