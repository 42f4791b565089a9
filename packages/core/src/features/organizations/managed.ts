import { type EnvelopeValue, envelope } from '../../api/envelope.js'
import type { ApiReply } from '../../api/request.js'
import type { Call } from '../../api/route.js'

/** A reply of the management plane. */
export const managed = ({ startedAt, now }: Call, fields: Record<string, EnvelopeValue>): ApiReply =>
  envelope(fields, startedAt, now())
