import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeDocuments } from '../support/document-files.ts';
import { startGateway } from './demo-process.ts';

test('invalid trusted documents end the process with code 1 before it listens, and all of them are reported', async () => {
  const documents = writeDocuments({
    'a.json': '{',
    'b/c.json': { c: 5 },
    'd.graphql': 'query D { __typename }',
  });
  await using gateway = startGateway([], {
    PORT: '0',
    TRUSTED_DOCUMENTS: documents,
    TRUSTED_DOCUMENTS_ONLY: 'on',
  });
  const { code, stdout, stderr } = await gateway.ended;
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr.trim().split('\n')).toEqual([
    'Invalid settings:',
    expect.stringContaining(`  TRUSTED_DOCUMENTS: ${join(documents, 'a.json')} is not JSON`),
    expect.stringContaining(
      `  TRUSTED_DOCUMENTS: ${join(documents, 'b/c.json')} has no document at "c"`,
    ),
  ]);
});
