/**
 * The library, for a company that mounts the gateway in its own server. `main.ts` is the
 * stand-alone process.
 */
export { type Environment, readSettings, type Settings, SettingsError } from '#config/settings.ts';
export type { Log } from '#observability/log.ts';
export { createGateway, type Gateway, type GatewayOptions } from './gateway.ts';
export { toNodeHandler } from './node-handler.ts';
