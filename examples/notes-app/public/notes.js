// @ts-check
import {
  AuthenticationError,
  ConflictError,
  collection,
  createClient,
  DuplicateError,
  defineSchema,
  EntigridError,
  NotFoundError,
} from '@entigrid/sdk'

/**
 * @typedef {{ title: string, text: string, author: string }} NoteProperties
 * @typedef {import('@entigrid/sdk').Entity<NoteProperties, 'notes'>} Note
 * @typedef {'wrote' | 'received'} List a note is on a user's list by a connection of that verb
 */

const schema = defineSchema({
  collections: {
    notes: /** @type {ReturnType<typeof collection<NoteProperties>>} */ (collection()),
    users:
      /** @type {ReturnType<typeof collection<import('@entigrid/sdk').UserProperties, import('@entigrid/sdk').NewUserProperties>>} */ (
        collection()
      ),
  },
  connections: [
    { from: 'users', verb: 'wrote', to: 'notes' },
    { from: 'users', verb: 'received', to: 'notes' },
  ],
})

/** The token survives a reload of the page, and ends with the tab. */
const TOKEN = 'notes-token'

const client = createClient({
  url: '/api',
  organization: 'notes',
  application: 'app',
  schema,
  token: sessionStorage.getItem(TOKEN) ?? undefined,
  onTokenChange: (token) => {
    if (token === undefined) sessionStorage.removeItem(TOKEN)
    else sessionStorage.setItem(TOKEN, token)
  },
})
const me = /** @type {const} */ ({ collection: 'users', ref: 'me' })

let username = ''
/** What is in the editor: a note and the list it is on, or nothing for a new one. */
let open = /** @type {{ note: Note, list: List } | undefined} */ (undefined)

/** @param {string} id */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id))
const welcome = /** @type {HTMLFormElement} */ (element('welcome'))
const noteForm = /** @type {HTMLFormElement} */ (element('note'))
const shareForm = /** @type {HTMLFormElement} */ (element('share'))

/**
 * @param {HTMLFormElement} form
 * @param {string} name
 */
const field = (form, name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name))

/** @param {string} text */
const say = (text, isBad = false) => {
  element('status').textContent = text
  element('status').className = isBad ? 'bad' : ''
}

// Showing

const showWelcome = () => {
  username = ''
  open = undefined
  welcome.hidden = false
  element('desk').hidden = true
  element('sign-out').hidden = true
  element('who').textContent = ''
}

const showDesk = async () => {
  username = (await client.me()).username
  welcome.hidden = true
  welcome.reset()
  element('desk').hidden = false
  element('sign-out').hidden = false
  element('who').textContent = username
  edit(undefined)
  await showLists()
}

const showLists = () => Promise.all([showList('wrote'), showList('received')])

/** @param {List} list */
const showList = async (list) => {
  const { entities } = await client.connected(me, list)
  element(list).replaceChildren(...entities.map((note) => listed(note, list)))
}

/**
 * Texts of notes are other people's, so they are only ever set as text.
 * @param {Note} note
 * @param {List} list
 */
const listed = (note, list) => {
  const title = document.createElement('strong')
  title.textContent = note.title
  const line = document.createElement('span')
  line.textContent = list === 'received' ? `from ${note.author}` : note.text || 'No text'
  const button = document.createElement('button')
  if (note.uuid === open?.note.uuid) button.setAttribute('aria-current', 'true')
  button.append(title, line)
  button.addEventListener('click', () => attempt(() => select(note, list)))
  const item = document.createElement('li')
  item.append(button)
  return item
}

/** @param {typeof open} next */
const edit = (next) => {
  open = next
  field(noteForm, 'title').value = open?.note.title ?? ''
  field(noteForm, 'text').value = open?.note.text ?? ''
  shareForm.reset()
  shareForm.hidden = open === undefined
  element('remove').hidden = open === undefined
  element('remove').textContent = open?.list === 'received' ? 'Remove from my list' : 'Delete'
}

// Doing

/**
 * Reads the note again: somebody else may have changed it.
 * @param {Note} note
 * @param {List} list
 */
const select = async (note, list) => {
  edit({ note: await client.collection('notes').get(note), list })
  await showLists()
}

const startNew = async () => {
  edit(undefined)
  await showLists()
}

/** @param {boolean} isNew */
const enter = async (isNew) => {
  const credentials = {
    username: field(welcome, 'username').value,
    password: field(welcome, 'password').value,
  }
  try {
    if (isNew) await client.collection('users').create(credentials)
  } catch (error) {
    if (error instanceof DuplicateError) return say(`The name ${credentials.username} is taken`, true)
    throw error
  }
  await client.signIn(credentials)
  await showDesk()
}

const save = async () => {
  const properties = { title: field(noteForm, 'title').value, text: field(noteForm, 'text').value }
  if (open === undefined) {
    // Created and connected in one step, so that no note is ever on nobody's list.
    const { entities } = await client.request('POST', '/users/me/wrote/notes', {
      body: { ...properties, author: username },
    })
    const [note] = /** @type {[Note]} */ (entities)
    edit({ note, list: 'wrote' })
  } else {
    try {
      // Only as it was when it was opened: what others have written since is not overwritten unseen.
      edit({ ...open, note: await client.collection('notes').update(open.note, properties) })
    } catch (error) {
      if (error instanceof ConflictError) return meet(error)
      throw error
    }
  }
  await showLists()
  say('Saved')
}

/**
 * Somebody else was faster. What only they changed is taken over; what both changed stays as written here, with theirs
 * told. Saving again is then about what is seen.
 * @param {ConflictError<Note>} conflict
 */
const meet = ({ theirs, base }) => {
  if (open === undefined) return
  if (theirs === undefined) {
    open = undefined
    return say('Somebody else has deleted it. Save it again to keep yours as a new note', true)
  }
  const clashes = /** @type {const} */ (['title', 'text']).filter((name) => {
    const input = field(noteForm, name)
    const isMine = input.value !== base?.[name]
    if (!isMine) input.value = theirs[name]
    return isMine && theirs[name] !== base?.[name]
  })
  open = { ...open, note: theirs }
  const wrote = clashes.map((name) => `${name}: ${theirs[name]}`).join(', ')
  say(`Somebody else has changed it. ${wrote && `They have ${wrote}. `}Save again to keep what you see`, true)
}

/** A note of one's own is deleted; one that was received only leaves the list. */
const remove = async () => {
  if (open === undefined) return
  const { note, list } = open
  if (list === 'wrote') await client.collection('notes').delete(note)
  else await client.disconnect(me, 'received', note)
  edit(undefined)
  await showLists()
  say(list === 'wrote' ? 'Deleted' : 'Removed from your list')
}

const share = async () => {
  if (open === undefined) return
  const name = field(shareForm, 'username').value
  try {
    await client.connect({ collection: 'users', ref: name }, 'received', open.note)
  } catch (error) {
    if (error instanceof NotFoundError) return say(`There is nobody called ${name}`, true)
    throw error
  }
  shareForm.reset()
  say(`${name} has it now`)
}

/**
 * Runs what a click began, and tells what went wrong.
 * @param {() => unknown} work
 */
const attempt = async (work) => {
  say('')
  try {
    await work()
  } catch (error) {
    if (!(error instanceof EntigridError)) throw error
    if (error instanceof AuthenticationError && username !== '') {
      client.token = undefined
      showWelcome()
    }
    say(error.message, true)
  }
}

// Events

/**
 * @param {HTMLFormElement} form
 * @param {(pressed: string) => unknown} work
 */
const onSubmit = (form, work) =>
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const { submitter } = event
    attempt(() => work(submitter instanceof HTMLButtonElement ? submitter.value : ''))
  })

onSubmit(welcome, (pressed) => enter(pressed === 'sign-up'))
onSubmit(noteForm, save)
onSubmit(shareForm, share)
element('new').addEventListener('click', () => attempt(startNew))
element('remove').addEventListener('click', () => attempt(remove))
element('sign-out').addEventListener('click', () =>
  attempt(() => client.signOut({ everywhere: true }).then(showWelcome)),
)
window.addEventListener('focus', () => username !== '' && attempt(showLists))

if (client.token === undefined) showWelcome()
else await attempt(showDesk)
if (username === '') showWelcome()
