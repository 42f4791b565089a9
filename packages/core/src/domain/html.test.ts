import { expect, it } from 'vitest'
import { html } from './html.js'

it('escapes what is put into a template, but what is HTML already', () => {
  const name = `<b onclick="x">O'Hara & co</b>`

  const item = html`<li title="${name}">${name}</li>`

  expect(html`<ul>${[item]}${null}${2}</ul>`.text).toBe(
    '<ul><li title="&lt;b onclick=&quot;x&quot;&gt;O&#39;Hara &amp; co&lt;/b&gt;">&lt;b onclick=&quot;x&quot;&gt;O&#39;Hara &amp; co&lt;/b&gt;</li>2</ul>',
  )
})
