import type { GraphQLResolveInfo } from 'graphql';
import type { ResponsePath } from '#extensions.ts';

/** The path of a field during execution, linked from its end. */
export type LinkedPath = Pick<GraphQLResolveInfo['path'], 'key'> & {
  readonly prev: LinkedPath | undefined;
};

export function toResponsePath(path: LinkedPath): ResponsePath {
  const keys: (string | number)[] = [];
  for (let step: LinkedPath | undefined = path; step; step = step.prev) keys.push(step.key);
  return keys.reverse();
}
