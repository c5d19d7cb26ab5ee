import { createConfig } from './vitest.config.ts';

export default createConfig('fuzz', ['test/**/*.fuzz.test.ts'], { maxWorkers: '100%' });
