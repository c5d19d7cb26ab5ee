/**
 * How deep the brackets of a document stand in one another, whether it parses or not. GraphQL walks down documents by calling itself, in
 * the parser and long after it: what is nested thousands of times, by fields, inline fragments or values, would be deeper than a stack.
 */
export function nestingOf(text: string): number {
  let depth = 0;
  let maxDepth = 0;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (character === '{' || character === '[' || character === '(') {
      depth += 1;
      if (depth > maxDepth) maxDepth = depth;
    } else if (character === '}' || character === ']' || character === ')') depth = Math.max(0, depth - 1);
    else if (character === '#') index = endOfLine(text, index);
    else if (character === '"')
      index = text.startsWith('"""', index) ? endOfBlock(text, index + 3) : endOfString(text, index + 1);
  }
  return maxDepth;
}

function endOfLine(text: string, from: number): number {
  for (let index = from; index < text.length; index += 1) if (text[index] === '\n' || text[index] === '\r') return index;
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

/** Levels of lists and objects in the variables of a request, or in its extensions. No type of the schema holds more than a few. */
export const MAX_JSON_LEVELS = 64;

/**
 * Finds what is nested too deep in the parameters of a request. Much of what reads them afterwards walks down by calling itself:
 * `JSON.stringify`, and GraphQL where it reads variables or repeats them in a message.
 * @returns `variables` or `extensions`; undefined for neither
 */
export function findTooDeepParameter(params: {
  readonly variables?: unknown;
  readonly extensions?: unknown;
}): string | undefined {
  if (isDeeperThan(params.variables, MAX_JSON_LEVELS)) return 'variables';
  return isDeeperThan(params.extensions, MAX_JSON_LEVELS) ? 'extensions' : undefined;
}

/** Goes no deeper than one level more. */
function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) return value.some((inner) => isDeeperThan(inner, levels - 1));
  for (const name in value) if (isDeeperThan((value as Record<string, unknown>)[name], levels - 1)) return true;
  return false;
}
