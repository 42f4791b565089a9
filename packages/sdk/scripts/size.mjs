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
  const [entry_, ...others] = output
  const isAtOnce = ({ fileName }) => entry_.imports.includes(fileName)
  print(what, [entry_, ...others.filter(isAtOnce)])
  for (const chunk of others) if (!isAtOnce(chunk)) print(`  ${chunk.name}, when it is needed`, [chunk])
}

const print = (what, chunks) => {
  const bytes = chunks.map(({ code }) => Buffer.from(code))
  const sum = (sizes) => String(sizes.reduce((one, other) => one + other, 0)).padStart(7)
  const packed = sum(bytes.map((code) => gzipSync(code).length))
  console.log(`${what.padEnd(34)}${sum(bytes.map(({ length }) => length))} bytes${packed} gzip`)
}

await measure('everything', `export * from ${JSON.stringify(index)}`)
for (const names of ['createClient', 'createClient, NotFoundError', 'createAdminClient', 'defineSchema'])
  await measure(names, `export { ${names} } from ${JSON.stringify(index)}`)
