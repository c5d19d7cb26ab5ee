import type { GraphQLResolveInfo } from 'graphql';

/** The path of a field during execution, linked from its end. */
export type LinkedPath = Pick<GraphQLResolveInfo['path'], 'key'> & {
  readonly prev: LinkedPath | undefined;
};

/** The path of a field in the response: response names, and indexes of list items. */
export type ResponsePath = readonly (string | number)[];

export function toResponsePath(path: LinkedPath): ResponsePath {
  const keys: (string | number)[] = [];
  for (let step: LinkedPath | undefined = path; step; step = step.prev) keys.push(step.key);
  return keys.reverse();
}
