import type { Page } from 'playwright-core';
import type { ExampleApp } from './example-app.ts';

/** What the tests read of the results of axe. */
interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}

/** The findings of axe on a page, in light and in dark colours. */
export async function findViolations(page: Page, { pathOf }: ExampleApp): Promise<string[]> {
  await page.addScriptTag({ path: pathOf('node_modules/axe-core/axe.min.js') });
  const found: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const violations = await page.evaluate(async () => {
      const { axe } = globalThis as unknown as { axe: { run(): Promise<AxeResults> } };
      const results = await axe.run();
      return results.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
    });
    found.push(...violations.map((violation) => `${colorScheme}: ${violation}`));
  }
  return found;
}
