import { UpstreamNotFoundError, UpstreamRejectedError } from '#errors/upstream-error.ts';
import type { Identified, Page } from '#pagination/list.ts';
import type { ReadPage } from '#pagination/numbered-pages.ts';

/** The paging behavior of an upstream; each default is the simplest one. */
export interface PagingBehavior {
  readonly firstPage?: 0 | 1;
  /** Pages below the first one: rejected, empty, or clamped to the first page. */
  readonly below?: 400 | 422 | 'empty' | 'clamped';
  /** Pages past the end: empty, rejected, or clamped to the last page. */
  readonly past?: 'empty' | 400 | 404 | 'clamped';
  /** The maximum number of items on a page, whatever size is requested. */
  readonly cap?: number | undefined;
  /** The start of page n under a cap: n times the served size, or n times the requested size. */
  readonly offsetBy?: 'served' | 'requested';
  readonly hasTotal?: boolean;
}

export interface PageArguments {
  readonly page: number;
  readonly pageSize: number;
}

/** An upstream list of ids that a test can edit while it is read, with a log of its requests. */
export interface SimulatedList {
  readonly ids: string[];
  readonly behavior: Required<Omit<PagingBehavior, 'cap'>> & { readonly cap: number | undefined };
  readonly readPage: ReadPage<Identified>;
  readonly log: PageArguments[];
  /** The page numbers requested since the last call. */
  takeLog(): number[];
  /** Runs `act` once, after this many more requests. */
  afterRequests(count: number, act: () => void): void;
  /** Lets the next request fail with this error. */
  failNext(error: Error): void;
  /** Cancels scheduled changes and the failure of the next request. */
  cancelChanges(): void;
  /** Inserts new ids at this position and returns them. */
  insert(at: number, count?: number): string[];
  remove(at: number, count?: number): string[];
  /** How many edits the list has had. */
  version(): number;
  /** The response to a request at this moment, without a log entry. */
  respond(pageFetch: PageArguments): Page<Identified>;
}

const REQUEST_LINE = { method: 'GET', path: '/list' } as const;

export function createSimulatedList(length: number, behavior: PagingBehavior = {}): SimulatedList {
  const {
    firstPage = 0,
    below = 400,
    past = 'empty',
    cap,
    offsetBy = 'served',
    hasTotal = false,
  } = behavior;
  let made = 0;
  const makeIds = (count: number) => Array.from({ length: count }, () => `i${made++}`);
  const ids = makeIds(length);
  const log: PageArguments[] = [];
  let taken = 0;
  let failure: Error | undefined;
  let pendingChanges: { count: number; act: () => void }[] = [];
  let version = 0;

  function respond({ page, pageSize }: PageArguments): Page<Identified> {
    const size = Math.min(pageSize, cap ?? pageSize);
    const stride = offsetBy === 'served' ? size : pageSize;
    const last = Math.max(0, Math.ceil(ids.length / stride) - 1);
    let index = page - firstPage;
    if (index < 0) {
      if (typeof below === 'number') throw new UpstreamRejectedError(REQUEST_LINE, below);
      if (below === 'clamped') index = 0;
    } else if (index > last) {
      if (past === 400) throw new UpstreamRejectedError(REQUEST_LINE, 400);
      if (past === 404) throw new UpstreamNotFoundError(REQUEST_LINE, 404);
      if (past === 'clamped') index = last;
    }
    const items =
      index < 0 ? [] : ids.slice(index * stride, index * stride + size).map((id) => ({ id }));
    return { items, served: items.length, ...(hasTotal && { total: ids.length }) };
  }

  return {
    ids,
    behavior: { firstPage, below, past, cap, offsetBy, hasTotal },
    log,
    respond,
    async readPage(pageFetch) {
      log.push(pageFetch);
      // The response is built when the request arrives and is delivered later, as on a wire.
      try {
        if (failure) throw failure;
        return respond(pageFetch);
      } finally {
        failure = undefined;
        pendingChanges = pendingChanges.filter((one) => {
          one.count -= 1;
          if (one.count === 0) one.act();
          return one.count > 0;
        });
        await Promise.resolve();
      }
    },
    takeLog() {
      const pages = log.slice(taken).map(({ page }) => page);
      taken = log.length;
      return pages;
    },
    afterRequests(count, act) {
      pendingChanges.push({ count, act });
    },
    failNext(error) {
      failure = error;
    },
    cancelChanges() {
      failure = undefined;
      pendingChanges = [];
    },
    insert(at, count = 1) {
      const fresh = makeIds(count);
      version += 1;
      ids.splice(at, 0, ...fresh);
      return fresh;
    },
    version: () => version,
    remove(at, count = 1) {
      version += 1;
      return ids.splice(at, count);
    },
  };
}
