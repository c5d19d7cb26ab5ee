import type { TestGateway } from './test-gateway.ts';

/** One series of `/metrics` with its value. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** All series of `/metrics`. */
export async function readMetrics(gateway: Pick<TestGateway, 'fetch'>): Promise<Sample[]> {
  return parseMetrics(await (await gateway.fetch('/metrics')).text());
}

export function parseMetrics(text: string): Sample[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', labels = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      const pairs = Array.from(
        labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g),
        ([, label = '', text = '']) => [label, text],
      );
      return { name, labels: Object.fromEntries(pairs), value: Number(value) };
    });
}

/** The sum of all series of that name with these labels; 0 without any. */
export function sumSamples(
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const found = samples.filter(
    (sample) =>
      sample.name === `revox_gateway_${name}` &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  return found.reduce((sum, { value }) => sum + value, 0);
}
