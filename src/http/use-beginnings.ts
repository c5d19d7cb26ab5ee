import type { Plugin } from 'graphql-yoga';
import type { Beginnings } from './beginnings.ts';
import type { Admission } from './use-admission.ts';

/** Lets an operation begin when it is its caller's turn: before its document is looked at, which costs most of what an operation can. */
export function useBeginnings(
  beginnings: Beginnings,
): Plugin<object, { admission?: Admission | undefined; hasBegun?: boolean | undefined }> {
  return {
    onParams: ({ context: { admission, hasBegun } }) => (hasBegun || !admission ? undefined : beginnings.wait(admission)),
  };
}
