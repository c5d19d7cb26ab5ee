/** What the document leaves open about page numbers, one switch for each reading of it. */
export interface PageRules {
  readonly firstPage: 0 | 1;
  readonly clampsPageNumber: boolean;
  /** Larger sizes are served as this one, in silence. */
  readonly maxPageSize: number;
  /** With a cap, what page n starts at: n times the size served, or n times the size asked for. */
  readonly capOffset: 'served' | 'requested';
}

/** One page, with the number and the size that were really served. */
export function takePage<T>(
  items: readonly T[],
  requested: { page: number; pageSize: number },
  rules: PageRules,
): { items: T[]; page: number; pageSize: number } {
  const pageSize = Math.min(requested.pageSize, rules.maxPageSize);
  const stride = rules.capOffset === 'requested' ? requested.pageSize : pageSize;
  const lastPage = rules.firstPage + Math.max(0, Math.ceil(items.length / stride) - 1);
  const page = rules.clampsPageNumber ? Math.min(Math.max(requested.page, rules.firstPage), lastPage) : requested.page;
  const start = (page - rules.firstPage) * stride;
  return { items: items.slice(start, start + pageSize), page, pageSize };
}
