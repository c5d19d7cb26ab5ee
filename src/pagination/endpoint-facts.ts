/**
 * What is known of how an endpoint pages: true of the upstream, not of any caller, so it is shared by all of them.
 * It holds no upstream data.
 */
export interface EndpointFacts {
  /** The number of the first page; undefined until it is found out. */
  readonly firstPage: 0 | 1 | undefined;
  /** Looks whether another instance has found out the number of the first page. */
  recallFirstPage(): Promise<void>;
  /** Keeps the number of the first page, for this instance and the others. */
  learnFirstPage(number: 0 | 1): void;
  /** Items on a full page: as configured, until the upstream turns out to serve fewer, or more. */
  pageSize: number;
  /** Items asked for by one request: the page size, but never more than configured. */
  requestSize: number;
  /** Whether a short page has been seen between fuller ones: then a short page proves nothing, and no cap. */
  leavesHoles: boolean;
  /** Whether a page past the end has been seen to repeat the last one. */
  repeatsLastPage: boolean;
}

/** Where instances of the gateway tell one another what they have found out. */
export interface FactNotebook {
  /** The number of an endpoint's first page; undefined when nobody knows, or nobody can be asked in time. Never rejects. */
  readFirstPage(endpoint: string): Promise<0 | 1 | undefined>;
  writeFirstPage(endpoint: string, number: 0 | 1): void;
}

export type FactsByEndpoint = (endpoint: string) => EndpointFacts;

/**
 * Remembers facts for each endpoint (a path template such as `/campaigns/{id}/rows`, so there are few).
 * @param firstPage `auto`: find out; else it is so
 * @param pageSize items, as asked for until an endpoint turns out to serve fewer
 * @param notebook default: what is found out stays in the process
 */
export function createEndpointFacts({
  firstPage,
  pageSize,
  notebook,
}: {
  readonly firstPage: 'auto' | 0 | 1;
  readonly pageSize: number;
  readonly notebook?: FactNotebook | undefined;
}): FactsByEndpoint {
  const facts = new Map<string, EndpointFacts>();
  return (endpoint) => {
    let known = facts.get(endpoint);
    if (!known) {
      known = new Facts(endpoint, pageSize, notebook, firstPage === 'auto' ? undefined : firstPage);
      facts.set(endpoint, known);
    }
    return known;
  };
}

class Facts implements EndpointFacts {
  pageSize: number;
  requestSize: number;
  leavesHoles = false;
  repeatsLastPage = false;

  readonly #endpoint: string;
  readonly #notebook: FactNotebook | undefined;
  #firstPage: 0 | 1 | undefined;

  constructor(endpoint: string, pageSize: number, notebook: FactNotebook | undefined, firstPage: 0 | 1 | undefined) {
    this.#endpoint = endpoint;
    this.pageSize = pageSize;
    this.requestSize = pageSize;
    this.#notebook = notebook;
    this.#firstPage = firstPage;
  }

  get firstPage(): 0 | 1 | undefined {
    return this.#firstPage;
  }

  async recallFirstPage(): Promise<void> {
    const told = await this.#notebook?.readFirstPage(this.#endpoint);
    // What was found out meanwhile is nearer.
    this.#firstPage ??= told;
  }

  learnFirstPage(number: 0 | 1): void {
    this.#firstPage = number;
    this.#notebook?.writeFirstPage(this.#endpoint, number);
  }
}
