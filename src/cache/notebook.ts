import type { RedisTier } from './redis-tier.ts';

/** Where instances tell one another the number of an endpoint's first page: true of the upstream, whoever asks. */
export interface Notebook {
  /** Undefined when nobody knows, or nobody can be asked in time. Never rejects. */
  readFirstPage(endpoint: string): Promise<0 | 1 | undefined>;
  writeFirstPage(endpoint: string, number: 0 | 1): void;
}

/** @param upstream its base URL: of two upstreams each has its own */
export function createNotebook(redis: Pick<RedisTier, 'readNote' | 'writeNote'>, upstream: string): Notebook {
  const toName = (endpoint: string) => `first page of ${endpoint} at ${upstream}`;
  return {
    async readFirstPage(endpoint) {
      const note = await redis.readNote(toName(endpoint));
      return note === '0' ? 0 : note === '1' ? 1 : undefined;
    },
    writeFirstPage: (endpoint, number) => redis.writeNote(toName(endpoint), String(number)),
  };
}
