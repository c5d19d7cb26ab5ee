/**
 * Paging behaviour that the API documentation leaves open, with one switch for each interpretation.
 */
export interface PageRules {
  readonly firstPage: 0 | 1;
  readonly clampsPageNumber: boolean;
  /** Larger sizes are silently reduced to this one. */
  readonly maxPageSize: number;
  /** Every page has this size, whatever `page_size` is. */
  readonly fixedPageSize: number | undefined;
  /** With a cap, the start of page n: n times the size served, or n times the size requested. */
  readonly capOffset: 'served' | 'requested';
}

/** One page, with the number and the size that were actually served. */
export function takePage<T>(
  items: readonly T[],
  requested: { page: number; pageSize: number },
  rules: PageRules,
): { items: T[]; page: number; pageSize: number } {
  const pageSize = rules.fixedPageSize ?? Math.min(requested.pageSize, rules.maxPageSize);
  const isHoled = rules.capOffset === 'requested' && rules.fixedPageSize === undefined;
  const stride = isHoled ? requested.pageSize : pageSize;
  const lastPage = rules.firstPage + Math.max(0, Math.ceil(items.length / stride) - 1);
  const page = rules.clampsPageNumber
    ? Math.min(Math.max(requested.page, rules.firstPage), lastPage)
    : requested.page;
  const start = (page - rules.firstPage) * stride;
  return { items: items.slice(start, start + pageSize), page, pageSize };
}
