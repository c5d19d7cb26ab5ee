import type { Command } from './command-line.ts';

const GENERAL = `A GraphQL gateway over the Revox REST API.

Usage: revox-graphql-gateway [command] [options]

Commands:
  start            Serve the Revox API. Without a command, the gateway starts, too.
  demo             Serve invented data of an embedded sandbox: no network, no API key.
  doctor           Check the connection, the key and the API; print the settings to use.

Options:
  --env-file PATH  Read settings from a file, too. The environment takes precedence.
  -h, --help       Print this text, or that of a command: doctor --help.
  -v, --version    Print the version.

Examples:
  revox-graphql-gateway demo
  REVOX_API_KEY=sk_… revox-graphql-gateway doctor
  revox-graphql-gateway start --env-file .env

In a clone of the repository: npm run demo, npm run doctor, npm start.
npm passes options on behind two dashes: npm start -- --env-file .env

All settings are environment variables: docs/reference/configuration.md lists them.
.env.example is a template for --env-file.`;

const START = `Serve the Revox API.

Usage: revox-graphql-gateway start [--env-file PATH]

Without REVOX_API_KEY each request brings its own Revox key (pass-through mode).
With it, the gateway reads with its own key (service mode).

Important settings (environment variables):
  PORT, HOST              Where to listen: 4000, 127.0.0.1.
  REVOX_API_KEY           The gateway's own key.
  REVOX_BASE_URL          The REST API: https://www.getrevox.com/api.
  ROUTER_SECRETS          Secrets; each request must carry one in Router-Authorization.
  JWT_JWKS_URL, JWT_ISSUER, JWT_AUDIENCE
                          Bearer tokens that are accepted in service mode.
  CORS_ORIGINS            Origins whose pages may read responses.
  CACHE_MAX_BYTES         Size of the cache: 67108864 (64 MiB).
  REDIS_URL, CACHE_SECRET A cache that several instances share.
  NODE_ENV=production     JSON log; GraphiQL, introspection and upstream trace off.
docs/reference/configuration.md lists all of them.

Examples:
  PORT=8080 revox-graphql-gateway start
  REVOX_API_KEY=sk_… revox-graphql-gateway start
  revox-graphql-gateway start --env-file .env
In a clone of the repository: npm start -- --env-file .env

Exit codes:
  0    stopped by SIGTERM or SIGINT, after all requests in flight
  1    invalid settings, no address to listen on, or aborted requests
  128+ stopped at once by a second signal`;

const DEMO = `Serve invented data of an embedded sandbox: no network, no API key.

Usage: revox-graphql-gateway demo [--env-file PATH]

The sandbox imitates the REST API of Revox. The demo prints its URL and keys.

Important settings (environment variables):
  PORT, HOST     Where the gateway listens: 4000, 127.0.0.1.
  SANDBOX_PORT   Where the sandbox listens: PORT + 1.
All other settings have an effect, too, except for those of a real upstream:
REVOX_API_KEY, REVOX_BASE_URL, REVOX_FIRST_PAGE and REVOX_ARRAY_FORMAT.

Examples:
  revox-graphql-gateway demo
  PORT=4100 revox-graphql-gateway demo
In a clone of the repository: PORT=4100 npm run demo

Exit codes: as those of start.`;

const DOCTOR = `Check the connection, the key and the API; print the settings to use.

Usage: revox-graphql-gateway doctor [--json] [--api-key-stdin] [--env-file PATH]

The doctor reads the settings of start and sends at most 20 GET requests, one at a time.
It writes nothing, and prints neither keys nor data.

Options:
  --json            One JSON object instead of text.
  --api-key-stdin   Read the key from standard input instead of REVOX_API_KEY, for a
                    gateway in pass-through mode. (Other users can read arguments.)
  --env-file PATH   Read settings from a file, too. The environment takes precedence.

Important settings (environment variables):
  REVOX_API_KEY     The key to check.
  REVOX_BASE_URL    The REST API: https://www.getrevox.com/api.
  HTTPS_PROXY       The proxy to the REST API.
  REDIS_URL, JWT_JWKS_URL
                    Checked, too, if they are set.

Examples:
  REVOX_API_KEY=sk_… revox-graphql-gateway doctor
  revox-graphql-gateway doctor --api-key-stdin < key.txt
  revox-graphql-gateway doctor --env-file .env --json
In a clone of the repository: npm run doctor -- --env-file .env --json

Exit codes:
  0  the gateway will work with these settings
  1  it will not work, or the settings or arguments are invalid
  2  it will work, and there are findings`;

const TEXTS: { readonly [name in Command]: string } = { start: START, demo: DEMO, doctor: DOCTOR };

/** The help of a command; without one, that of the program. */
export function helpOf(command: Command | undefined): string {
  return command === undefined ? GENERAL : TEXTS[command];
}
