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
