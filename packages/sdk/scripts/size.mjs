/** Prints what the package costs a browser: bundled, minified, and compressed, whole and as commonly used. */
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'

const index = fileURLToPath(new URL('../src/index.ts', import.meta.url))

const measure = async (what, source) => {
  const entry = 'virtual:entry'
  const bundle = await rolldown({
    input: entry,
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === entry ? id : null),
        load: (id) => (id === entry ? source : null),
      },
    ],
  })
  const { output } = await bundle.generate({ format: 'esm', minify: true })
  const bytes = Buffer.from(output[0].code)
  console.log(
    `${what.padEnd(28)}${String(bytes.length).padStart(7)} bytes${String(gzipSync(bytes).length).padStart(7)} gzip`,
  )
}

await measure('everything', `export * from ${JSON.stringify(index)}`)
for (const names of ['createClient', 'createClient, NotFoundError', 'createAdminClient', 'defineSchema'])
  await measure(names, `export { ${names} } from ${JSON.stringify(index)}`)
