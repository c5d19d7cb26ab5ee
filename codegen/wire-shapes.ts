import type { PluginFunction } from '@graphql-codegen/plugin-helpers';
import { readWireResponses, readWireShapes } from './openapi-document.ts';

/** Generates the shapes of the upstream contract, for a check of real responses. */
export const plugin: PluginFunction = () =>
  [
    '/** An object: its required keys, and the types of every documented key, joined with `|`. */',
    'export interface WireShape {',
    '  readonly required: readonly string[];',
    '  readonly types: { readonly [key: string]: string };',
    '}',
    '/** An object whose shape is selected by the value of one key. */',
    'export interface WireUnion {',
    '  readonly discriminator: string;',
    '  readonly kinds: { readonly [value: string]: string };',
    '}',
    '/** The documented shapes by the name of the schema. */',
    'export const wireShapes: { readonly [name: string]: WireShape | WireUnion } = {',
    ...Object.entries(readWireShapes()).map(
      ([name, shape]) => `  ${name}: ${JSON.stringify(shape)},`,
    ),
    '};',
    '/** The schema of the successful response of each endpoint. */',
    'export const wireResponses: { readonly [path: string]: string } = {',
    ...Object.entries(readWireResponses()).map(([path, name]) => `  '${path}': '${name}',`),
    '};',
    '',
  ].join('\n');
