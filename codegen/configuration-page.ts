import type { PluginFunction } from '@graphql-codegen/plugin-helpers';
import { conditions } from '../src/config/conditions.ts';
import { documentation, type VariableGroup } from '../src/config/variable.ts';
import { variableGroups } from '../src/config/variables.ts';

const INTRODUCTION = `# Configuration

All settings are environment variables. An empty variable counts as absent. The gateway reports all
invalid settings at once, and the process ends with code 1. Times are in milliseconds where the name
ends with \`_MS\`, sizes in bytes where it ends with \`_BYTES\`.

\`--env-file PATH\` reads variables from a file, too. The environment takes precedence.

**Misspelled settings.** A variable that looks like a setting and is none would have no effect. It is
refused:

- It begins with a word that only the gateway's settings begin with: \`REVOX_\`, \`ROUTER_\`, \`JWT_\`,
  \`CORS_\`, \`CACHE_\`, \`FRESHNESS_\`, \`MAX_\` and others. Other programs use \`LOG_\`, \`REDIS_\`,
  \`CLIENT_\`, \`REQUEST_\`, \`TRUSTED_\` and \`UPSTREAM_\`, too: variables that begin with those may be
  set.
- It differs from a setting by one letter, from a setting of ten letters or more by two, or only by
  lower case. Of \`PORT\` and \`HOST\`, only by swapped letters.

The variables that Kubernetes and Docker set for services and links (\`REVOX_GATEWAY_SERVICE_HOST\`,
\`CACHE_PORT=tcp://…\`) and systemd's \`CACHE_DIRECTORY\` are not refused.

**Quotation marks and blanks.** A value must not be in quotation marks, which \`docker run --env-file\`
and Kubernetes do not remove. Blanks and line breaks around a secret are ignored, and the log says so.

\`npm run codegen\` writes this page from \`src/config/\`.
`;

const CONDITIONS = `## Conditions between settings

| when | rule |
| --- | --- |
`;

interface Row {
  readonly names: readonly string[];
  readonly meaning: string;
  readonly accepts: string;
  readonly default: string;
}

/** The reference page of the settings, from the schema that checks them. */
export const plugin: PluginFunction = () =>
  [INTRODUCTION, ...variableGroups.map(toSection), toConditionSection()].join('\n');

function toSection(group: VariableGroup): string {
  const { title, introduction, variables, foreignVariables = [] } = group;
  const rows = Object.entries(variables).flatMap(([name, schema]): Row[] => {
    const documented = documentation.get(schema as Parameters<typeof documentation.get>[0]);
    return documented ? [{ names: [name], ...documented }] : [];
  });
  return [
    `## ${title}\n`,
    ...(introduction ? [`${introduction}\n`] : []),
    '| name | meaning | must be | default |',
    '| --- | --- | --- | --- |',
    ...[...rows, ...foreignVariables].map(toLine),
    '',
  ].join('\n');
}

function toLine(row: Row): string {
  const names = row.names.map((name) => `\`${name}\``).join(', ');
  return `| ${names} | ${row.meaning} | ${row.accepts} | ${toDefault(row)} |`;
}

/** A default that is a number gets a readable form besides. */
function toDefault({ names: [name = ''], default: stated }: Row): string {
  const readable = toReadable(name, Number(stated));
  return readable === undefined ? stated : `${stated} (${readable})`;
}

const UNITS: readonly (readonly [suffix: string, size: number, unit: string])[] = [
  ['_BYTES', 2 ** 20, 'MiB'],
  ['_MS', 3_600_000, 'h'],
  ['_MS', 60_000, 'min'],
  ['_MS', 1_000, 's'],
];

function toReadable(name: string, number: number): string | undefined {
  const found = UNITS.find(
    ([suffix, size]) => name.includes(suffix) && number > 0 && number % size === 0,
  );
  return found && `${number / found[1]} ${found[2]}`;
}

function toConditionSection(): string {
  return `${CONDITIONS}${conditions.map(({ when, problem }) => `| ${when} | ${problem} |\n`).join('')}`;
}
