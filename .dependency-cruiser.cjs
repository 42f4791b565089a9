/** Who may import what: your own folder, and any floor below it. A breach fails the check. */
const core = '^packages/core/src'
const upward = (name, from, to) => ({
  name,
  severity: 'error',
  from: { path: `${core}/${from}`, pathNot: '\\.test\\.ts$' },
  to: { path: `${core}/(${to})` },
})

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    upward(
      'domain-is-the-ground-floor',
      'domain/',
      'storage|engine|api|features|testing|wiring|options\\.ts|app\\.ts|index\\.ts',
    ),
    upward(
      'storage-knows-only-domain',
      'storage/',
      'engine|api|features|testing|wiring|options\\.ts|app\\.ts|index\\.ts',
    ),
    upward(
      'engine-stays-below-features',
      'engine/',
      'features|api|testing|wiring|options\\.ts|app\\.ts|index\\.ts',
    ),
    upward('api-stays-below-features', 'api/', 'features|testing|wiring|options\\.ts|app\\.ts|index\\.ts'),
    upward('features-do-not-know-the-app', 'features/', 'testing|wiring|options\\.ts|app\\.ts|index\\.ts'),
    {
      name: 'rooms-meet-through-their-index',
      severity: 'error',
      from: { path: `${core}/features/([^/]+)/`, pathNot: '\\.test\\.ts$' },
      to: { path: `${core}/features/([^/]+)/`, pathNot: [`${core}/features/$1/`, '/(index|types)\\.ts$'] },
    },
    {
      name: 'only-storage-knows-databases',
      severity: 'error',
      from: { path: '^packages/', pathNot: `${core}/(storage/typeorm|testing)/|\\.test\\.ts$` },
      to: { path: 'node_modules/(typeorm|pg|sqlite3|better-sqlite3)/' },
    },
    {
      name: 'only-the-server-knows-express',
      severity: 'error',
      from: { path: '^packages/(core|sdk)/' },
      to: { path: 'node_modules/express/' },
    },
    {
      name: 'sdk-knows-only-the-wire',
      severity: 'error',
      from: { path: '^packages/sdk/', pathNot: '\\.test\\.ts$' },
      to: { pathNot: '^packages/sdk/' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.base.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
  },
}
