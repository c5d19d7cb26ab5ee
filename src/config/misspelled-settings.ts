import type { Environment } from './conditions.ts';
import { editDistance, findSimilar } from './edit-distance.ts';

/**
 * First words of settings that other programs use for variables of their own: `LOG_DIR`,
 * `REDIS_HOST`, `CLIENT_ID`, `TRUSTED_PROXIES`, `REQUEST_METHOD` (CGI). Any other first word belongs
 * to the gateway alone, and so does every variable that begins with it.
 */
const SHARED_FIRST_WORDS = new Set([
  'BASE',
  'CLIENT',
  'CREDENTIAL',
  'HOST',
  'KEEP',
  'LOG',
  'PORT',
  'REDIS',
  'REQUEST',
  'SANDBOX',
  'TRUSTED',
  'UPSTREAM',
]);

/** Heroku sets `REDIS_TLS_URL` beside `REDIS_URL`. */
const SHARED_PREFIXES = new Set(['REDIS_TLS_']);

/** systemd sets it for a unit with `CacheDirectory=`. */
const FOREIGN_NAMES = new Set(['CACHE_DIRECTORY']);

/**
 * Variables that Kubernetes sets for each service of the namespace, and Docker for each linked
 * container. A service may be called `revox-gateway`, `router` or `cache`:
 * `REVOX_GATEWAY_SERVICE_HOST`, `ROUTER_PORT=tcp://10.0.0.1:4000`, `CACHE_PORT_6379_TCP_ADDR`.
 */
const SERVICE_LINK_NAME =
  /_SERVICE_HOST$|_SERVICE_PORT(_\w+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$|_ENV_/;
const SERVICE_LINK_URL = /^(tcp|udp|sctp):\/\//;

/** A longer list of settings helps less than the page that explains them. */
const MAX_LISTED = 8;

/**
 * Finds variables that look like settings and are none: they begin with a prefix of the gateway
 * alone, or with one or two letters changed they are a setting. A misspelled setting would have no
 * effect, and `ROUTER_SECRET` instead of `ROUTER_SECRETS` would start a gateway that accepts every
 * request.
 * @param provided the variables that are not empty
 * @param settings the names of all settings
 * @param others further names that are read, and are no settings of the gateway
 * @returns one sentence for each of them
 */
export function findMisspelledSettings(
  provided: Environment,
  settings: readonly string[],
  others: ReadonlySet<string>,
): string[] {
  const known = new Set(settings);
  const prefixes = ownPrefixesOf(settings);
  return Object.entries(provided).flatMap(([name, value = '']) => {
    if (known.has(name) || others.has(name) || isForeign(name, value)) return [];
    const prefix = prefixes.find((own) => hasPrefix(name, own));
    const similar = similarSettings(name, settings);
    if (prefix === undefined && similar.length === 0) return [];
    return [`${toVisible(name)} is not a setting. ${toAdvice(name, similar, prefix, settings)}`];
  });
}

/** The first word of a setting, or the first two where others use the first word, too. */
function ownPrefixesOf(settings: readonly string[]): string[] {
  const prefixes = settings.flatMap((name) => {
    const [first = '', second, ...more] = name.split('_');
    if (!SHARED_FIRST_WORDS.has(first)) return [`${first}_`];
    return more.length > 0 ? [`${first}_${second}_`] : [];
  });
  return [...new Set(prefixes)].filter((prefix) => !SHARED_PREFIXES.has(prefix));
}

/** `KEEP_ALIVE` lacks the rest of the name, and `KEEP_ALIVE_MS` has another one. */
function hasPrefix(name: string, prefix: string): boolean {
  return name.startsWith(prefix) || (prefix.split('_').length > 2 && `${name}_` === prefix);
}

function isForeign(name: string, value: string): boolean {
  return (
    FOREIGN_NAMES.has(name) ||
    SERVICE_LINK_NAME.test(name) ||
    (name.endsWith('_PORT') && SERVICE_LINK_URL.test(value)) ||
    (name.endsWith('_NAME') && value.startsWith('/'))
  );
}

function similarSettings(name: string, settings: readonly string[]): string[] {
  const upperCase = name.toUpperCase();
  if (name !== upperCase) {
    return settings.filter((setting) => setting === upperCase && setting.includes('_'));
  }
  return findSimilar(name, settings, maxDistanceOf).filter(
    (setting) => setting.length >= 6 || isSwap(name, setting),
  );
}

/**
 * Two letters of a long name, one of a short one: `FAST_PATH` is not `BASE_PATH`. Of `PORT` and
 * `HOST`, only swapped letters: `SORT` and `POST` are words.
 */
function maxDistanceOf(setting: string): number {
  return setting.length >= 10 ? 2 : 1;
}

function isSwap(name: string, setting: string): boolean {
  const sorted = (text: string) => [...text].sort().join('');
  return sorted(name) === sorted(setting) && editDistance(name, setting) === 1;
}

function toAdvice(
  name: string,
  similar: readonly string[],
  prefix: string | undefined,
  settings: readonly string[],
): string {
  const meant = similar.length > 0 ? similar : settingsWithWords(name, settings);
  if (meant.length > 0 && meant.length <= 3) return `Did you mean ${meant.join(' or ')}?`;
  const listed = settings.filter((setting) => prefix && setting.startsWith(prefix));
  if (listed.length === 1) return `Only the setting ${listed[0]} begins with ${prefix}.`;
  return listed.length <= MAX_LISTED
    ? `The settings that begin with ${prefix} are ${listed.join(', ')}.`
    : `docs/reference/configuration.md lists the settings that begin with ${prefix}.`;
}

/**
 * `REVOX_URL` has two words of `REVOX_BASE_URL`; `CACHE_MAX_SIZE_BYTES` has all of `CACHE_MAX_BYTES`,
 * and `REVOX_LOG_LEVEL` all of `LOG_LEVEL`. Of several settings, those that differ by the fewest
 * words. `REVOX_HOST` is not `HOST`: one word with another first word says too little.
 */
function settingsWithWords(name: string, settings: readonly string[]): string[] {
  const words = name.split('_');
  const found = settings
    .map((setting) => ({ setting, others: setting.split('_') }))
    .filter(
      ({ others }) =>
        (others[0] === words[0] || Math.min(words.length, others.length) > 1) &&
        (isWithin(words, others) || isWithin(others, words)),
    )
    .map(({ setting, others }) => ({ setting, excess: Math.abs(others.length - words.length) }));
  const leastExcess = Math.min(...found.map(({ excess }) => excess));
  return found.filter(({ excess }) => excess === leastExcess).map(({ setting }) => setting);
}

/** Whether all words are in a list, in the same order. */
function isWithin(words: readonly string[], list: readonly string[]): boolean {
  let next = 0;
  for (const word of list) if (word === words[next]) next += 1;
  return next === words.length;
}

function toVisible(name: string): string {
  return name.replace(/[^\x21-\x7e]/g, '?');
}
