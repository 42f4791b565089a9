import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { AppError, checkDepth, type Json, type Limits } from '@entigrid/core'
import { parseJson } from './json-body.js'

export interface Body {
  /** `undefined` when there was none. */
  json: Json | undefined
  /** True when `json` holds the fields of a form. */
  form: boolean
}

/** The client went away before it had sent the whole request: nobody is left to answer. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone'
}

const NO_BODY: Body = { json: undefined, form: false }
const LAST_WORDS_OF_FORMS = /\/(?:token|authorize|resetpw|setpin|confirm|activate)\/*$/
const BLANKS = new Set([0x20, 0x09, 0x0a, 0x0d])
const inflate = promisify(gunzip)

/**
 * Reads and parses the body of a request; `path` is below the mount point. A body that begins with `{` or `[`
 * is JSON whatever its content type says. Form fields are taken at the token, sign-in and management paths.
 * @throws {AppError} `payload_too_large`, `json_parse`, `not_supported`
 * @throws {ClientGone}
 */
export const readBody = async (req: IncomingMessage, path: string, limits: Limits): Promise<Body> => {
  if (!hasBody(req)) return NO_BODY
  const bytes = await decode(req, await readBytes(req, limits.body), limits.body)
  return parseBody(bytes, req.headers['content-type'], path, limits)
}

/** What a body parser of the host application left in `req.body`. Texts and bytes are parsed as if just read. */
export const adoptBody = (req: IncomingMessage, body: unknown, path: string, limits: Limits): Body => {
  // Some parsers leave `{}` where there was no body.
  if (!hasBody(req)) return NO_BODY
  const contentType = req.headers['content-type']
  if (typeof body === 'string' || body instanceof Uint8Array)
    return parseBody(Buffer.from(body as string), contentType, path, limits)
  checkDepth(body, limits.depth)
  const form = isForm(contentType)
  if (form && !takesForms(path)) throw notSupported(contentType)
  return { json: body as Json, form }
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined ||
  (headers['content-length'] !== undefined && headers['content-length'] !== '0')

const readBytes = (req: IncomingMessage, limit: number): Promise<Buffer> => {
  if (Number(req.headers['content-length']) > limit) return Promise.reject(tooLarge(limit))
  // A host application has read it already and kept nothing.
  if (req.readableEnded) return Promise.resolve(Buffer.alloc(0))
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    req.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= limit) chunks.push(chunk)
      else reject(tooLarge(limit))
    })
    req.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size)))
    const gone = () => reject(new ClientGone())
    req.on('error', gone)
    req.on('close', gone)
  })
}

const decode = async (req: IncomingMessage, bytes: Buffer, limit: number): Promise<Buffer> => {
  const encoding = req.headers['content-encoding']?.toLowerCase()
  if (encoding === undefined || encoding === 'identity') return bytes
  if (encoding !== 'gzip' && encoding !== 'x-gzip')
    throw new AppError('not_supported', 'Request bodies may be compressed with gzip only')
  try {
    return await inflate(bytes, { maxOutputLength: limit })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(limit)
    throw new AppError('illegal_argument', 'The request body is not valid gzip')
  }
}

const parseBody = (bytes: Buffer, contentType: string | undefined, path: string, limits: Limits): Body => {
  const first = firstByte(bytes)
  if (first === undefined) return NO_BODY
  const looksLikeJson = first === '{' || first === '['
  if (looksLikeJson || isJson(contentType))
    return { json: parseJson(decodeText(bytes), limits.depth), form: false }
  if (isForm(contentType) && takesForms(path)) return { json: formFields(decodeText(bytes)), form: true }
  throw notSupported(contentType)
}

/** The first character that is neither blank nor part of a byte order mark. */
const firstByte = (bytes: Buffer): string | undefined => {
  let at = startsWithMark(bytes) ? 3 : 0
  while (at < bytes.length && BLANKS.has(bytes[at]!)) at++
  return at < bytes.length ? String.fromCharCode(bytes[at]!) : undefined
}

const startsWithMark = (bytes: Buffer): boolean => bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf

const decodeText = (bytes: Buffer): string => {
  if (!isUtf8(bytes)) throw new AppError('json_parse', 'The request body is not UTF-8')
  return bytes.toString('utf8', startsWithMark(bytes) ? 3 : 0)
}

const isJson = (contentType = ''): boolean => /^application\/(?:[\w.-]+\+)?json\b/i.test(contentType)

const isForm = (contentType = ''): boolean => /^application\/x-www-form-urlencoded\b/i.test(contentType)

const takesForms = (path: string): boolean =>
  path.startsWith('/management/') || LAST_WORDS_OF_FORMS.test(path)

/** The first of fields with the same name counts. */
const formFields = (text: string): Json => Object.fromEntries([...new URLSearchParams(text)].reverse())

const tooLarge = (limit: number) =>
  new AppError('payload_too_large', `The request body is larger than ${limit} bytes`)

const notSupported = (contentType: string | undefined) =>
  new AppError(
    'not_supported',
    contentType === undefined
      ? 'The request body is not JSON'
      : `A request body of type ${contentType.slice(0, 100)} is not accepted here; send JSON`,
  )
