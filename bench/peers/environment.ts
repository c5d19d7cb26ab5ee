/** What a peer is told by whoever starts it. It reads upstream with one key, as a service does; none of them keeps callers apart. */
export const port = Number(process.env.PORT);
export const upstreamUrl = process.env.UPSTREAM_URL ?? '';
/** Whether it remembers answers, in the way its own documentation recommends. */
export const isCaching = process.env.REMEMBER === 'on';
export const HOST = '127.0.0.1';
export const AUTHORIZATION = 'Bearer sk_bench';
/** For so long a peer that remembers needs no upstream, s: longer than it is measured. */
export const CACHE_TTL_S = 600;
