import { describe, expect, it } from 'vitest';
import type { SandboxOptions } from '#sandbox/sandbox.ts';
import { createSandbox } from '#sandbox/sandbox.ts';
import { fetchJson, idsOf, STARTED_AT } from './sandbox-requests.ts';

const createSandboxScene = (options: SandboxOptions) => {
  const sandbox = createSandbox({ startedAt: STARTED_AT, ...options });
  const data = sandbox.control.data('sk_demo_a');
  const campaignId = data.campaigns.find(({ id }) => data.rows[id]!.length === 96)!.id;
  return {
    attempts: idsOf(data.attempts),
    rows: idsOf(data.rows[campaignId]!),
    page: async (page: number, size: number) => {
      const { status, json } = await fetchJson(sandbox, `/call?page=${page}&page_size=${size}`);
      return status === 200 ? idsOf(json.calls) : status;
    },
    rowPage: async (page: number, size: number) => {
      const { status, json } = await fetchJson(
        sandbox,
        `/campaigns/${campaignId}/rows?page=${page}&page_size=${size}`,
      );
      return status === 200 ? { ...json, rows: idsOf(json.rows) } : status;
    },
  };
};

describe.each([0, 1] as const)('Sandbox pages from page %i', (firstPage) => {
  const { attempts, rows, page, rowPage } = createSandboxScene({ firstPage });

  it('the pages contain every attempt once, and the last page is short', async () => {
    const pages = await Promise.all(
      Array.from({ length: 42 }, (_, index) => page(firstPage + index, 50)),
    );
    expect(pages.flat()).toEqual(attempts);
    expect(pages.at(-1)).toHaveLength(20);
  });

  it('a page past the end is empty', async () => {
    expect(await page(firstPage + 42, 50)).toEqual([]);
    expect(await rowPage(firstPage + 2, 50)).toEqual({
      page: firstPage + 2,
      page_size: 50,
      rows: [],
      total: 96,
    });
  });

  it('pages of rows have the same numbers, and echo the number and size that were served', async () => {
    expect(await rowPage(firstPage, 50)).toEqual({
      page: firstPage,
      page_size: 50,
      rows: rows.slice(0, 50),
      total: 96,
    });
    expect(await rowPage(firstPage + 1, 50)).toEqual({
      page: firstPage + 1,
      page_size: 50,
      rows: rows.slice(50),
      total: 96,
    });
  });

  it('a page below the first one is rejected', async () => {
    expect(await page(firstPage - 1, 50)).toBe(400);
    expect(await rowPage(firstPage - 1, 50)).toBe(400);
  });
});

describe.each([0, 1] as const)('Sandbox pages clamped to %i and the last page', (firstPage) => {
  const { attempts, rows, page, rowPage } = createSandboxScene({
    firstPage,
    clampsPageNumber: true,
  });

  it('a number below the first page returns the first page', async () => {
    expect(await page(firstPage - 1, 50)).toEqual(attempts.slice(0, 50));
    expect(await page(-7, 50)).toEqual(attempts.slice(0, 50));
    expect(await rowPage(firstPage - 1, 60)).toEqual({
      page: firstPage,
      page_size: 60,
      rows: rows.slice(0, 60),
      total: 96,
    });
  });

  it('a number past the end returns the last page', async () => {
    expect(await page(firstPage + 41, 50)).toEqual(attempts.slice(2050));
    expect(await page(firstPage + 99, 50)).toEqual(attempts.slice(2050));
    expect(await rowPage(firstPage + 99, 60)).toEqual({
      page: firstPage + 1,
      page_size: 60,
      rows: rows.slice(60),
      total: 96,
    });
  });
});

describe('Sandbox pages with a maximum size', () => {
  it('a capped page n starts at n times the served size', async () => {
    const { attempts, rows, page, rowPage } = createSandboxScene({ maxPageSize: 20 });
    expect(await page(1, 50)).toEqual(attempts.slice(0, 20));
    expect(await page(2, 50)).toEqual(attempts.slice(20, 40));
    expect(await page(104, 50)).toEqual(attempts.slice(2060));
    expect(await page(2, 15)).toEqual(attempts.slice(15, 30));
    expect(await rowPage(2, 50)).toEqual({
      page: 2,
      page_size: 20,
      rows: rows.slice(20, 40),
      total: 96,
    });
  });

  it('with capOffset requested a capped page n starts at n times the requested size, and the items in between are unreachable', async () => {
    const { attempts, rows, page, rowPage } = createSandboxScene({
      maxPageSize: 20,
      capOffset: 'requested',
    });
    expect(await page(1, 50)).toEqual(attempts.slice(0, 20));
    expect(await page(2, 50)).toEqual(attempts.slice(50, 70));
    expect(await page(43, 50)).toEqual([]);
    expect(await rowPage(2, 50)).toEqual({
      page: 2,
      page_size: 20,
      rows: rows.slice(50, 70),
      total: 96,
    });
  });

  it('a clamped number past the end returns the last capped page', async () => {
    const { attempts, page } = createSandboxScene({ maxPageSize: 20, clampsPageNumber: true });
    expect(await page(500, 50)).toEqual(attempts.slice(2060));
  });
});

it('organization B has a list whose last page is full: ten pages of 50, and then none', async () => {
  const sandbox = createSandbox({ startedAt: STARTED_AT });
  const page = async (number: number) =>
    (await fetchJson(sandbox, `/call?page=${number}&page_size=50`, { key: 'sk_demo_b' })).json
      .calls;
  expect(await page(10)).toHaveLength(50);
  expect(await page(11)).toEqual([]);
});

it('wrapsAssistant wraps a single assistant', async () => {
  const bare = createSandbox({ startedAt: STARTED_AT });
  const wrapping = createSandbox({ startedAt: STARTED_AT, wrapsAssistant: true });
  const assistant = bare.control.data('sk_demo_a').assistants[0]!;
  expect((await fetchJson(bare, `/assistants/${assistant.id}`)).json).toEqual(assistant);
  expect((await fetchJson(wrapping, `/assistants/${assistant.id}`)).json).toEqual({ assistant });
});
