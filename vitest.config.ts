import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  resolve: {
    alias: [
      { find: '@entigrid/core/testing', replacement: source('packages/core/src/testing/index.ts') },
      { find: '@entigrid/core', replacement: source('packages/core/src/index.ts') },
      { find: '@entigrid/server', replacement: source('packages/server/src/index.ts') },
      { find: '@entigrid/sdk', replacement: source('packages/sdk/src/index.ts') },
    ],
  },
  oxc: { target: 'node20' },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts', 'examples/**/*.test.ts'],
    globalSetup: ['test/support/postgres.setup.ts'],
    // One process for each core takes one file after the other: to start one for every file, and to load the engine in it,
    // takes longer than most files do. Whatever a test changes outside of itself, it puts back.
    isolate: false,
    maxWorkers: '100%',
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
