/** The URLs of files that the GraphiQL page or its script names, relative to the page. */
export function fileURLsOf(text: string): string[] {
  return text.match(/\?graphiql-file=[\w.-]+/g) ?? [];
}
