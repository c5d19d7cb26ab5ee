import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SettingsError } from '#config/settings.ts';
import { writeDocuments } from '../support/document-files.ts';
import { createTestGateway } from '../support/test-gateway.ts';
import { createDocumentGateways } from './document-gateways.ts';

const { documents, trustedOnlySettings } = createDocumentGateways();

describe('Trusted documents at startup', () => {
  const loggedWith = (settings: Record<string, string>) => {
    const lines: string[] = [];
    createTestGateway({
      settings,
      gateway: {
        log: { info: (line) => lines.push(line), error: expect.fail, unexpected: expect.fail },
      },
    });
    return lines;
  };

  test('invalid trusted documents are logged once each and do not prevent the start', () => {
    const file = join(documents, 'relay.json');
    expect(loggedWith(trustedOnlySettings)).toEqual([
      `Trusted document "outdated" (${file}) is not valid against the schema: Cannot query field "nothing" on type "Query".`,
      `Trusted document "broken" (${file}) is not valid against the schema: Syntax Error: Expected Name, found <EOF>.`,
    ]);
    expect(loggedWith({})).toEqual([]);
  });

  test('the number of invalid trusted documents is logged when there are many', () => {
    const documents = Object.fromEntries(
      Array.from({ length: 50 }, (_, number) => [`${number}\n`, `{ nothing${number} }`]),
    );
    // GraphQL repeats unexpected text in its error message.
    const unexpected = '{ """over\ntwo lines""" }';
    const lines = loggedWith({
      TRUSTED_DOCUMENTS: writeDocuments({ 'm.json': { unexpected, ...documents } }),
    });
    expect(lines).toHaveLength(21);
    expect(lines.at(-1)).toBe('31 more trusted documents are not valid against the schema.');
    expect(lines.join('')).not.toContain('\n');
  });

  test('trusted documents that cannot be read prevent the start', () => {
    expect(() => loggedWith({ TRUSTED_DOCUMENTS: join(documents, 'nowhere') })).toThrow(
      SettingsError,
    );
  });
});
