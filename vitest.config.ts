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
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
