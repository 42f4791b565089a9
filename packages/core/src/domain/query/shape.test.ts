import { expect, it } from 'vitest'
import { parseQuery } from './parse.js'
import { queryShape } from './shape.js'

it.each([
  ['', ''],
  ['a = 1', 'a = ?'],
  ["a = 'secret' and b > 2", '(a = ? and b > ?)'],
  ["not (a contains 'x' or location within 5 of 1,1)", 'not (a contains ? or location within ?)'],
  ['order by a, B desc', 'order by a, b desc'],
  ['not a = true order by a.b', 'not a = ? order by a.b'],
])('"%s" has the shape "%s"', (text, shape) => {
  const { filter, sort } = parseQuery(text)

  expect(queryShape(filter, sort)).toBe(shape)
})
