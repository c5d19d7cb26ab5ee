import { readSettingNotices, readSettings } from '#config/settings.ts';
import { summarizeSettings } from './startup-summary.ts';

/**
 * Serves the upstream of the settings. It returns when the gateway listens.
 * @param notices further lines of the log, after the summary
 */
export async function runStart(notices: readonly string[]): Promise<void> {
  const settings = readSettings();
  // The settings come first: they are wrong more often than anything else, and the gateway takes
  // most of the time of a start to load.
  const { serve } = await import('./serve.ts');
  await serve(settings, {
    notices: [...notices, ...readSettingNotices()],
    summarize: (address) => summarizeSettings(settings, address),
  });
}
