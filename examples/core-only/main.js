// @ts-check
import { AppError, openEngine } from '@entigrid/core'

const engine = await openEngine({ database: 'sqlite::memory:' })
await engine.bootstrap({ username: 'admin', organization: 'library' })
const library = engine.app('library/sandbox')

// The program itself may do everything. Its reason is noted in the change log.
const system = await library.asSystem('fill the shelves')
await system.createMany('books', [
  { name: 'emma', title: 'Emma', author: 'Jane Austen', year: 1815 },
  { name: 'persuasion', title: 'Persuasion', author: 'Jane Austen', year: 1817 },
  { name: 'dracula', title: 'Dracula', author: 'Bram Stoker', year: 1897 },
])
const ann = await system.create('users', { username: 'ann' })

const { entities: austen } = await system.list('books', { ql: "where author = 'jane *' order by year desc" })
console.log('Books by Jane somebody:', austen.map(({ title }) => title).join(', '))

await system.connect(ann, 'borrowed', { collection: 'books', ref: 'dracula' })
const { entities: borrowed } = await system.connected(ann, 'borrowed')
const { entities: borrowers } = await system.connecting({ collection: 'books', ref: 'dracula' }, 'borrowed')
console.log('Ann has:', borrowed.map(({ title }) => title).join(', '))
console.log('Dracula is with:', borrowers.map(({ username }) => username).join(', '))

const { year } = await system.put('books', 'emma', { year: 1816 })
console.log('Emma was published in:', year)

// Anybody else is checked by the rules that hold over HTTP too; in a sandbox, guests may do nearly everything.
const guest = await library.as({ kind: 'guest' })
console.log('A guest finds:', (await guest.get('books', 'emma')).title)
try {
  await guest.create('books', { name: 'emma' })
} catch (error) {
  if (!(error instanceof AppError)) throw error
  console.log('A second Emma is refused:', error.code)
}

await engine.close()
