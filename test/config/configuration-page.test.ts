import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { variables } from '#config/variables.ts';

describe('Tables of docs/reference/configuration.md', () => {
  const page = readFileSync(
    join(import.meta.dirname, '../../docs/reference/configuration.md'),
    'utf8',
  );
  const rows = Array.from(
    page.matchAll(/^\| (`[A-Z_…`, ]+) \| .+ \| (.+?) \|$/gm),
    ([, names = '', stated = '']) => ({
      names: Array.from(names.matchAll(/`([^`]+)`/g), ([, name = '']) => name),
      stated,
    }),
  );
  const defaults: { readonly [name: string]: unknown } = variables.parse({});

  test('the configuration page lists each variable once, and no other variable', () => {
    // Node.js, undici and OpenTelemetry define what these mean.
    const ours = Object.keys(variables.shape).filter(
      (name) => name !== 'NODE_ENV' && !/^OTEL_|_proxy$/i.test(name),
    );
    const others = ['OTEL_…', 'HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'];
    expect(rows.flatMap(({ names }) => names).sort()).toEqual([...ours, ...others].sort());
  });

  test('the configuration page states the defaults', () => {
    const withDefaults = rows.filter(({ names }) =>
      names.some((name) => String(defaults[name] ?? '') !== ''),
    );
    expect(
      withDefaults.map(({ names, stated }) => [
        names,
        stated.replaceAll('`', '').replace(/ \(.+\)$/, ''),
      ]),
    ).toEqual(
      withDefaults.map(({ names }) => [
        names,
        names.map((name) => String(defaults[name])).join(', '),
      ]),
    );
    // The other variables have no default, or one that depends on another setting.
    expect(withDefaults.length).toBeGreaterThan(rows.length / 2);
  });
});
