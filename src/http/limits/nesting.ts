/**
 * The maximum nesting of brackets in a document, whether it parses or not. graphql-js walks
 * documents recursively, in the parser and long after it: thousands of nested fields, inline
 * fragments or values would overflow the stack.
 */
export function nestingOf(text: string): number {
  let depth = 0;
  let maxDepth = 0;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (character === '{' || character === '[' || character === '(') {
      depth += 1;
      if (depth > maxDepth) maxDepth = depth;
    } else if (character === '}' || character === ']' || character === ')')
      depth = Math.max(0, depth - 1);
    else if (character === '#') index = endOfLine(text, index);
    else if (character === '"')
      index = text.startsWith('"""', index)
        ? endOfBlock(text, index + 3)
        : endOfString(text, index + 1);
  }
  return maxDepth;
}

function endOfLine(text: string, from: number): number {
  for (let index = from; index < text.length; index += 1)
    if (text[index] === '\n' || text[index] === '\r') return index;
  return text.length;
}

function endOfString(text: string, from: number): number {
  for (let index = from; index < text.length; index += 1) {
    if (text[index] === '\\') index += 1;
    else if (text[index] === '"' || text[index] === '\n' || text[index] === '\r') return index;
  }
  return text.length;
}

function endOfBlock(text: string, from: number): number {
  for (let index = from; index < text.length; index += 1) {
    if (text.startsWith('\\"""', index)) index += 3;
    else if (text.startsWith('"""', index)) return index + 2;
  }
  return text.length;
}

/**
 * Maximum levels of lists and objects in the variables or the extensions of a request. No type of
 * the schema has more than a few.
 */
export const MAX_JSON_LEVELS = 64;

/**
 * Finds a parameter of a request that nests too deep. Much of the code that reads parameters is
 * recursive: `JSON.stringify`, and graphql-js where it coerces variables or quotes them in a
 * message.
 * @returns `variables` or `extensions`; undefined if neither does
 */
export function findTooDeepParameter(params: {
  readonly variables?: unknown;
  readonly extensions?: unknown;
}): string | undefined {
  if (isDeeperThan(params.variables, MAX_JSON_LEVELS)) return 'variables';
  return isDeeperThan(params.extensions, MAX_JSON_LEVELS) ? 'extensions' : undefined;
}

/** Recurses at most one level beyond the limit. */
function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) return value.some((inner) => isDeeperThan(inner, levels - 1));
  for (const name in value)
    if (isDeeperThan((value as Record<string, unknown>)[name], levels - 1)) return true;
  return false;
}
