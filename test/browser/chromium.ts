import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright-core';
import { expect, test } from 'vitest';

const CHROMIUM = '/usr/bin/chromium';
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const hasChromium = existsSync(CHROMIUM);
const isChecked = process.env.CI === 'true';

/** Warns if the browser is missing; in CI a missing browser is a failure. */
export function expectChromium(): void {
  if (!hasChromium)
    console.warn(
      `The browser tests are skipped: ${CHROMIUM} does not exist. Install Chromium to run them.`,
    );
  test.runIf(isChecked)('CI has a browser', () => {
    expect(hasChromium).toBe(true);
  });
}

export interface Chromium {
  readonly browser: BrowserContext;
  close(): Promise<void>;
}

export async function startChromium(): Promise<Chromium> {
  const profile = await mkdtemp(join(tmpdir(), 'chromium-'));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    args: FLAGS,
    viewport: { width: 1400, height: 900 },
  });
  return {
    browser,
    async close() {
      await browser.close();
      await rm(profile, { recursive: true });
    },
  };
}
