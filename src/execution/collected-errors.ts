import { type FieldNode, type GraphQLError, locatedError } from 'graphql';
import { type LinkedPath, toResponsePath } from '#binding/response-path.ts';

/**
 * The errors of one execution, in the order in which they occur. At most one error is collected for
 * each position of the response that became null, and none below such a position.
 */
export class CollectedErrors {
  readonly list: GraphQLError[] = [];
  /** The paths that became null, by identity; undefined is the root. Created by the first error. */
  #nullPositions: Set<LinkedPath | undefined> | undefined;

  add(error: GraphQLError, path: LinkedPath | undefined): void {
    this.#nullPositions ??= new Set();
    if (this.#isBelowNull(path, this.#nullPositions)) return;
    this.#nullPositions.add(path);
    this.list.push(error);
  }

  #isBelowNull(
    path: LinkedPath | undefined,
    nullPositions: ReadonlySet<LinkedPath | undefined>,
  ): boolean {
    for (let step = path; step; step = step.prev) if (nullPositions.has(step)) return true;
    return nullPositions.has(undefined);
  }
}

/**
 * Collects the error of a nullable field or list item, and returns null in its place.
 * @throws GraphQLError the located error, if the position must not be null
 */
export function handleFieldError(
  rawError: unknown,
  fieldNodes: readonly FieldNode[],
  isNonNull: boolean,
  path: LinkedPath,
  errors: CollectedErrors,
): 'null' {
  const error = locatedError(rawError, fieldNodes, toResponsePath(path));
  if (isNonNull) throw error;
  errors.add(error, path);
  return 'null';
}
