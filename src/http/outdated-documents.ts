import { GraphQLError, type GraphQLSchema, parse, validate } from 'graphql';
import type { TrustedDocument } from './documents.ts';

/** So many are told; what is wrong with one is often wrong with all. */
const MOST_TOLD = 20;

/**
 * Says which documents are none for this schema, a line each. That is no reason not to start: they may be those of an old client, which gets
 * the same errors as before.
 */
export function tellOutdated(
  schema: GraphQLSchema,
  documents: readonly (TrustedDocument & { readonly file: string })[],
): string[] {
  const lines = documents.flatMap(({ id, text, file }) => {
    const fault = findFault(schema, text);
    // On one line, whatever is in it: both come from a file.
    return fault === undefined ? [] : [`${file}, ${JSON.stringify(id)}: ${fault.replace(/\s+/g, ' ')}`];
  });
  const untold = lines.length - MOST_TOLD;
  const told = lines.slice(0, MOST_TOLD).map((line) => `A trusted document is none for this schema: ${line}`);
  return untold > 0 ? [...told, `${untold} more trusted documents are none for this schema.`] : told;
}

function findFault(schema: GraphQLSchema, text: string): string | undefined {
  try {
    return validate(schema, parse(text))[0]?.message;
  } catch (error) {
    return error instanceof GraphQLError ? error.message : 'The document is nested too deep.';
  }
}
