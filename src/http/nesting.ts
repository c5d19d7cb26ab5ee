/**
 * How deep the brackets of a document stand in one another, whether it parses or not. GraphQL walks down documents by calling itself, in
 * the parser and long after it: what is nested thousands of times, by fields, inline fragments or values, would be deeper than a stack.
 */
export function nestingOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '{' || character === '[' || character === '(') {
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (character === '}' || character === ']' || character === ')') depth = Math.max(0, depth - 1);
    else if (character === '#') at = endOfLine(text, at);
    else if (character === '"') at = text.startsWith('"""', at) ? endOfBlock(text, at + 3) : endOfString(text, at + 1);
  }
  return deepest;
}

function endOfLine(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) if (text[at] === '\n' || text[at] === '\r') return at;
  return text.length;
}

function endOfString(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"' || text[at] === '\n' || text[at] === '\r') return at;
  }
  return text.length;
}

function endOfBlock(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    if (text.startsWith('\\"""', at)) at += 3;
    else if (text.startsWith('"""', at)) return at + 2;
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
export function tooDeepIn(params: { readonly variables?: unknown; readonly extensions?: unknown }): string | undefined {
  if (hasMoreLevels(params.variables, MAX_JSON_LEVELS)) return 'variables';
  return hasMoreLevels(params.extensions, MAX_JSON_LEVELS) ? 'extensions' : undefined;
}

/** Goes no deeper than one level more. */
function hasMoreLevels(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) return value.some((inner) => hasMoreLevels(inner, levels - 1));
  for (const name in value) if (hasMoreLevels((value as Record<string, unknown>)[name], levels - 1)) return true;
  return false;
}
