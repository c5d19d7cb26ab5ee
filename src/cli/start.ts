import { readSettingNotices, readSettings } from '#config/settings.ts';
import { serve } from './serve.ts';
import { summarizeSettings } from './startup-summary.ts';

/** Serves the upstream of the settings. It returns when the gateway listens. */
export async function runStart(): Promise<void> {
  const settings = readSettings();
  await serve(settings, {
    notices: readSettingNotices(),
    summarize: (address) => summarizeSettings(settings, address),
  });
}
