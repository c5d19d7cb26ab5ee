/**
 * The settings of a peer. Each peer uses one upstream key, as a service does; none of them
 * separates callers.
 */
export const port = Number(process.env.PORT);
export const upstreamUrl = process.env.UPSTREAM_URL ?? '';
/** Whether the peer caches responses, in the way that its own documentation recommends. */
export const isCaching = process.env.CACHING === 'on';
export const HOST = '127.0.0.1';
export const AUTHORIZATION = 'Bearer sk_bench';
/** How long a caching peer serves a cached response, in s: longer than the measurement. */
export const CACHE_TTL_S = 600;
