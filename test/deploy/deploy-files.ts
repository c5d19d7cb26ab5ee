import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Copy, DockerfileParser } from 'dockerfile-ast';
import { parse } from 'yaml';

export const DEPLOY = join(import.meta.dirname, '../../deploy');

export const readDeployFile = (path: string): string => readFileSync(join(DEPLOY, path), 'utf8');

// biome-ignore lint/suspicious/noExplicitAny: schemas check the files; each test knows the keys that it reads
export type Yaml = any;

export const readYaml = (path: string): Yaml => parse(readDeployFile(path));

/** The Kubernetes files with their objects. */
export function kubernetesObjects(): { readonly path: string; readonly object: Yaml }[] {
  return readdirSync(join(DEPLOY, 'kubernetes'))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => ({ path: name, object: readYaml(`kubernetes/${name}`) }));
}

/** An instruction of the Dockerfile. Arguments in array form are parsed. */
export interface Instruction {
  readonly keyword: string;
  readonly args: readonly string[];
  /** The source stage of a `COPY`. */
  readonly from: string | undefined;
  /** The arguments without flags, with continued lines joined. */
  readonly text: string;
}

/** The stages of the Dockerfile, in order. */
export function stages(): Instruction[][] {
  const found: Instruction[][] = [];
  for (const instruction of DockerfileParser.parse(
    readDeployFile('Dockerfile'),
  ).getInstructions()) {
    const text = (instruction.getRawArgumentsContent() ?? '').replace(/\\\n\s*/g, ' ');
    const list = /\[.*\]$/s.exec(text)?.[0];
    const args = list ? (JSON.parse(list) as string[]) : text.split(/\s+/);
    if (instruction.getKeyword() === 'FROM') found.push([]);
    const flags = instruction instanceof Copy ? instruction.getFlags() : [];
    const from = flags.find((flag) => flag.getName() === 'from')?.getValue() ?? undefined;
    found.at(-1)?.push({ keyword: instruction.getKeyword(), args, from, text });
  }
  return found;
}
