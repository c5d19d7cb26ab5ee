import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { describeFileError } from './file-error.ts';
import { type Environment, SettingsError } from './settings.ts';

/** A quoted value may continue on further lines. */
const QUOTED_VALUE = /^\s*(?:export\s+)?[^\s=#]+\s*=\s*(["'`])/;
const ASSIGNMENT = /^\s*(?:export\s+)?[^\s=#]+\s*=/;
const BLANK_OR_COMMENT = /^\s*(#|$)/;

/**
 * Adds the variables of files to the environment of the process, so that OpenTelemetry and undici
 * see them, too. As with `node --env-file`, a variable of the environment takes precedence over a
 * file, and a later file over an earlier one.
 * @throws SettingsError that names the file and the line, and contains no value
 */
export function loadEnvFiles(paths: readonly string[]): void {
  for (const [name, value] of Object.entries(readEnvFiles(paths))) process.env[name] ??= value;
}

const USUAL_PATH = '.env';

/**
 * One sentence if the working directory has a file that a user may expect to be read. It is not
 * read without `--env-file`: it may belong to another program.
 * @param paths those of `--env-file`
 */
export function noticeUnreadEnvFile(paths: readonly string[]): string | undefined {
  return paths.length === 0 && existsSync(USUAL_PATH)
    ? `The file ${USUAL_PATH} of the working directory is not read without --env-file ${USUAL_PATH}.`
    : undefined;
}

/** The variables of files; a later file takes precedence. */
export function readEnvFiles(paths: readonly string[]): Environment {
  return Object.assign({}, ...paths.map(readEnvFile));
}

function readEnvFile(path: string): Environment {
  const text = readText(path);
  const line = findMalformedLine(text);
  if (line !== undefined) throw toError(path, `line ${line} must be NAME=value or a comment`);
  return parseEnv(text);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    throw toError(path, describeFileError(error));
  }
}

/** Node.js silently ignores a line that is no assignment, `REVOX_API_KEY: sk_…` for example. */
function findMalformedLine(text: string): number | undefined {
  let openQuote: string | undefined;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (openQuote !== undefined) {
      if (line.includes(openQuote)) openQuote = undefined;
      continue;
    }
    if (BLANK_OR_COMMENT.test(line)) continue;
    if (!ASSIGNMENT.test(line)) return index + 1;
    const [start, quote] = QUOTED_VALUE.exec(line) ?? [];
    if (start !== undefined && quote !== undefined && !line.slice(start.length).includes(quote))
      openQuote = quote;
  }
  return undefined;
}

function toError(path: string, problem: string): SettingsError {
  return new SettingsError([`--env-file ${path}: ${problem}.`]);
}
