import {
  optionalVariable,
  PORT_NUMBER,
  type Values,
  type VariableGroup,
} from '#config/variable.ts';

export interface DemoSettings {
  readonly sandboxPort: number;
}

const variables = {
  SANDBOX_PORT: optionalVariable(
    PORT_NUMBER,
    "Demo only: port of the sandbox's REST API.",
    '`PORT` + 1',
  ),
};

export const demo = {
  title: 'The demo',
  introduction:
    'The demo uses its own key for every request: without `ROUTER_SECRETS`, `HOST` must be 127.0.0.1,\n' +
    '::1 or localhost.',
  variables,
} satisfies VariableGroup;

export function toDemoSettings(
  { SANDBOX_PORT }: Values<typeof variables>,
  port: number,
): DemoSettings {
  return { sandboxPort: SANDBOX_PORT ?? adjacentPort(port) };
}

/**
 * Default port of the sandbox: the next one. If the gateway takes any free port, so does the
 * sandbox.
 */
function adjacentPort(port: number): number {
  if (port === 0) return 0;
  return port === 65_535 ? 65_534 : port + 1;
}
