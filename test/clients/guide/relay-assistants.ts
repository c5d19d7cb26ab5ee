import type { EnvironmentConfig } from 'relay-runtime';

/** An option of `Environment`. */
export const getDataID: EnvironmentConfig['getDataID'] = (object) =>
  object.inCall ? undefined : object.id;
