import { Fact, MIN_TRUST_MS, type Sighting } from './fact.ts';

/**
 * How an endpoint pages, as one operation of one credential believes it. Assigning to a property says that it has been seen to be so.
 * It holds no upstream data.
 */
export interface EndpointFacts {
  /** The number of the first page; undefined until it is found out. */
  readonly firstPage: 0 | 1 | undefined;
  /** Whether the number is configured: then nothing that is served contradicts it. */
  readonly isFirstPageFixed: boolean;
  /** Whether the credential itself has verified the number lately. */
  readonly isFirstPageTrusted: boolean;
  /**
   * Whether the number must be found out, or verified, before pages are read by it. A wrong 1 does not show in what is served: the first page
   * is missing, and the rest is a list. A wrong 0 shows at the start of a list: page 0 is refused, or empty, or served again as page 1.
   * @param isAtStart the list is read from its start
   */
  needsFirstPageLook(isAtStart: boolean): Promise<boolean>;
  /** If the look has shown nothing, the next operation looks. */
  endFirstPageLook(result: { readonly hasLooked: boolean }): void;
  /** @param isConfirmed it has been seen twice */
  seeFirstPage(number: 0 | 1, options: { readonly isConfirmed: boolean }): void;
  /** What is served contradicts the number: for the rest of this operation it is found out each time. */
  doubtFirstPage(): void;
  /** Whether page 0 has been served with items lately: then an empty one is an empty list. */
  servesPageZero: boolean;
  /** Whether totals have been seen lately that the pages do not reach, whatever the number of the first page. */
  totalsMislead: boolean;
  /** Items on a full page: as configured, until the upstream turns out to serve fewer, or more. */
  pageSize: number;
  /** Items asked for by one request: the page size, but never more than configured. */
  readonly requestSize: number;
  readonly maxRequestSize: number;
  /** Whether a short page has been seen between fuller ones: then a short page proves nothing, and no cap. */
  leavesHoles: boolean;
  /** Whether the credential itself has seen such a page lately: else the next short page is explained again. */
  readonly areHolesTrusted: boolean;
  /** Whether a page past the end has been seen to repeat the last one. */
  repeatsLastPage: boolean;
}

/** Where the instances of the gateway keep what one credential has seen. Each credential has its own. */
export interface FactNotebook {
  /** Undefined when nothing is noted, or it cannot be read in time. Never rejects. */
  readFirstPage(endpoint: string): Promise<NotedFirstPage | undefined>;
  writeFirstPage(endpoint: string, sighting: Sighting<0 | 1>, keepForMs: number): void;
}

export interface NotedFirstPage extends Sighting<0 | 1> {
  readonly ageMs: number;
}

/** On whose behalf a list is read. */
export interface FactHolder {
  readonly fingerprint: string;
  /** Absent: what is found out stays in the process. */
  readonly notebook?: FactNotebook | undefined;
}

/** A path template such as `/campaigns/{id}/rows`, so there are few. Each list of an operation asks for its own. */
export type FactsByEndpoint = (endpoint: string) => EndpointFacts;

export interface EndpointFactsOptions {
  /** `auto`: it is found out. */
  readonly firstPage: 'auto' | 0 | 1;
  /** Items, as asked for until an endpoint turns out to serve fewer. */
  readonly pageSize: number;
  /** A clock for durations, ms; it never goes back. */
  readonly elapsed: () => number;
}

export function createEndpointFacts({
  firstPage,
  pageSize,
  elapsed,
}: EndpointFactsOptions): (holder: FactHolder) => FactsByEndpoint {
  const fixed = firstPage === 'auto' ? undefined : firstPage;
  const endpoints = new Map<string, Endpoint>();
  return (holder) => (name) => {
    let endpoint = endpoints.get(name);
    if (!endpoint) {
      endpoint = new Endpoint(name, pageSize, elapsed);
      endpoints.set(name, endpoint);
    }
    return new CredentialFacts(endpoint, holder, fixed);
  };
}

/** What all credentials have seen of an endpoint. */
class Endpoint {
  readonly name: string;
  readonly maxRequestSize: number;
  readonly firstPage: Fact<0 | 1>;
  readonly servesPageZero: Fact<boolean>;
  readonly totalsMislead: Fact<boolean>;
  readonly pageSize: Fact<number>;
  readonly leavesHoles: Fact<boolean>;
  readonly repeatsLastPage: Fact<boolean>;

  constructor(name: string, maxRequestSize: number, elapsed: () => number) {
    this.name = name;
    this.maxRequestSize = maxRequestSize;
    this.firstPage = new Fact(elapsed);
    this.servesPageZero = new Fact(elapsed);
    this.totalsMislead = new Fact(elapsed);
    this.pageSize = new Fact(elapsed);
    this.leavesHoles = new Fact(elapsed);
    this.repeatsLastPage = new Fact(elapsed);
  }
}

class CredentialFacts implements EndpointFacts {
  readonly #endpoint: Endpoint;
  readonly #holder: FactHolder;
  readonly #credential: string;
  readonly #fixed: 0 | 1 | undefined;
  #isDoubted = false;
  /** One look an operation is enough. */
  #hasLooked = false;
  /** On behalf of all operations of the credential. */
  #isVerifying = false;

  constructor(endpoint: Endpoint, holder: FactHolder, fixed: 0 | 1 | undefined) {
    this.#endpoint = endpoint;
    this.#holder = holder;
    this.#credential = holder.fingerprint;
    this.#fixed = fixed;
  }

  get firstPage(): 0 | 1 | undefined {
    return this.#fixed ?? this.#endpoint.firstPage.believedBy(this.#credential);
  }

  get isFirstPageFixed(): boolean {
    return this.#fixed !== undefined;
  }

  get isFirstPageTrusted(): boolean {
    return this.isFirstPageFixed || (!this.#isDoubted && this.#endpoint.firstPage.isTrustedBy(this.#credential));
  }

  async needsFirstPageLook(isAtStart: boolean): Promise<boolean> {
    if (this.#isDoubted) return true;
    if (this.#isUsable(isAtStart)) return false;
    await this.#recallFirstPage();
    if (this.#isUsable(isAtStart)) return false;
    this.#isVerifying = this.#endpoint.firstPage.beginVerification(this.#credential);
    return true;
  }

  endFirstPageLook({ hasLooked }: { readonly hasLooked: boolean }): void {
    this.#hasLooked ||= hasLooked;
    if (this.#isVerifying) this.#endpoint.firstPage.endVerification(this.#credential);
  }

  seeFirstPage(number: 0 | 1, options: { readonly isConfirmed: boolean }): void {
    if (this.isFirstPageFixed) return;
    const sighting = this.#endpoint.firstPage.see(this.#credential, number, options);
    if (sighting) this.#holder.notebook?.writeFirstPage(this.#endpoint.name, sighting, Math.max(MIN_TRUST_MS, sighting.trustMs));
  }

  doubtFirstPage(): void {
    this.#isDoubted = true;
    this.#endpoint.firstPage.doubt(this.#credential);
  }

  get servesPageZero(): boolean {
    return this.#endpoint.servesPageZero.isTrustedBy(this.#credential);
  }

  set servesPageZero(isSeen: boolean) {
    this.#endpoint.servesPageZero.see(this.#credential, isSeen);
  }

  get totalsMislead(): boolean {
    return this.#endpoint.totalsMislead.isTrustedBy(this.#credential);
  }

  set totalsMislead(isSeen: boolean) {
    this.#endpoint.totalsMislead.see(this.#credential, isSeen);
  }

  get maxRequestSize(): number {
    return this.#endpoint.maxRequestSize;
  }

  get requestSize(): number {
    return Math.min(this.pageSize, this.maxRequestSize);
  }

  get pageSize(): number {
    return this.#endpoint.pageSize.believedBy(this.#credential) ?? this.maxRequestSize;
  }

  set pageSize(size: number) {
    this.#endpoint.pageSize.see(this.#credential, size);
  }

  get leavesHoles(): boolean {
    return this.#endpoint.leavesHoles.believedBy(this.#credential) ?? false;
  }

  set leavesHoles(isSeen: boolean) {
    this.#endpoint.leavesHoles.see(this.#credential, isSeen);
  }

  get areHolesTrusted(): boolean {
    return this.leavesHoles && this.#endpoint.leavesHoles.isTrustedBy(this.#credential);
  }

  get repeatsLastPage(): boolean {
    return this.#endpoint.repeatsLastPage.believedBy(this.#credential) ?? false;
  }

  set repeatsLastPage(isSeen: boolean) {
    this.#endpoint.repeatsLastPage.see(this.#credential, isSeen);
  }

  #isUsable(isAtStart: boolean): boolean {
    return ((isAtStart || this.#hasLooked) && this.firstPage === 0) || this.isFirstPageTrusted;
  }

  /** Another instance may have seen it for the same credential. */
  async #recallFirstPage(): Promise<void> {
    const { firstPage, name } = this.#endpoint;
    const { notebook } = this.#holder;
    if (!notebook || firstPage.isDoubtedBy(this.#credential)) return;
    const noted = await notebook.readFirstPage(name);
    if (noted) firstPage.adopt(this.#credential, noted, noted.ageMs);
  }
}
