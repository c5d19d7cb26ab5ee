/** What a company mounts in a server of its own; `main.ts` is the process that does without. */
export { type Environment, readSettings, type Settings, SettingsError } from '#config/settings.ts';
export type { Log } from '#observability/log.ts';
export { createGateway, type Gateway, type GatewayOptions } from './gateway.ts';
export { toNodeHandler } from './node-handler.ts';
