import { createConfig } from './vitest.config.ts';

/** Every behaviour again on the other ways to an answer: all of it past Yoga's plugins, and without whole answers being kept. */
const include = ['test/contract/**/*.test.ts', 'test/http/**/*.test.ts', 'test/wire/**/*.test.ts'];
/** What compares the ways has both already, and these have a process to themselves. */
const exclude = ['test/http/document-caches.test.ts', 'test/contract/isolation.test.ts', 'test/wire/demo.test.ts'];

const toProject = (name: string, env: Record<string, string>) => ({
  extends: true as const,
  test: { name, include, exclude, isolate: false, env },
});

export default createConfig('ways', [], {
  maxWorkers: '100%',
  projects: [toProject('the long way', { SHORT_WAY: 'off' }), toProject('no answers kept', { ANSWERS: 'off' })],
});
