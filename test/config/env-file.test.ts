import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { readEnvFiles } from '#config/env-file.ts';
import { readSettings, SettingsError } from '#config/settings.ts';
import { settingNames, variables } from '#config/variables.ts';

const folder = mkdtempSync(join(tmpdir(), 'env-file-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(text: string): string {
  const path = join(folder, `${crypto.randomUUID()}.env`);
  writeFileSync(path, text);
  return path;
}

describe('Files of --env-file', () => {
  test('a file has comments, quoted values, values of several lines, and Windows line ends', () => {
    const path = write(
      '\uFEFF# The key\r\nREVOX_API_KEY="sk_key"\r\n\r\nexport PORT=5000 # a port\r\nCACHE_SECRET="first\nsecond line"\nHOST=\n',
    );
    expect(readEnvFiles([path])).toEqual({
      REVOX_API_KEY: 'sk_key',
      PORT: '5000',
      CACHE_SECRET: 'first\nsecond line',
      HOST: '',
    });
  });

  test('a later file takes precedence over an earlier one', () => {
    const paths = [write('PORT=1\nHOST=first'), write('PORT=2\nLOG_LEVEL=warn')];
    expect(readEnvFiles(paths)).toEqual({ PORT: '2', HOST: 'first', LOG_LEVEL: 'warn' });
  });

  test.each(['REVOX_API_KEY: sk_secret', 'sk_secret', '=sk_secret', 'REVOX_API_KEY sk_secret'])(
    'a line that is no assignment is reported by its number, without its text: %s',
    (line) => {
      const path = write(`# A comment\nPORT="5\n0"\n${line}\n`);
      expect(() => readEnvFiles([path])).toThrow(
        new SettingsError([`--env-file ${path}: line 4 must be NAME=value or a comment.`]),
      );
    },
  );

  test('a file that does not exist, or is none, is reported by its path', () => {
    expect(() => readEnvFiles(['absent.env'])).toThrow(
      new SettingsError(['--env-file absent.env: does not exist.']),
    );
    expect(() => readEnvFiles([folder])).toThrow(
      new SettingsError([`--env-file ${folder}: cannot be read (EISDIR).`]),
    );
  });
});

describe('.env.example', () => {
  const text = readFileSync(join(import.meta.dirname, '../../.env.example'), 'utf8');
  const commentedNames = Array.from(text.matchAll(/^# ([A-Z_]+)=/gm), ([, name = '']) => name);

  test('every variable of .env.example is a setting, or that of Node.js which the gateway reads', () => {
    const names = [...Object.keys(parseEnv(text)), ...commentedNames];
    expect(names.length).toBeGreaterThan(12);
    expect(names.filter((name) => ![...settingNames, 'NODE_ENV'].includes(name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });

  test('a copy of .env.example has the default settings', () => {
    expect(readSettings(parseEnv(text))).toEqual(readSettings({}));
  });

  test('every commented line of .env.example is valid when it is no comment', () => {
    const uncommented = parseEnv(text.replace(/^# (?=[A-Z_]+=)/gm, ''));
    expect(
      readSettings({ ...uncommented, REVOX_API_KEY: 'k', CACHE_SECRET: 'sixteen letters!' }),
    ).toMatchObject({ jwt: { audience: 'revox-gateway' }, log: { format: 'json' } });
    for (const name of commentedNames) expect(variables.shape).toHaveProperty(name);
  });
});
