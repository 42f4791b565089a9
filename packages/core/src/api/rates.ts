import type { Caller } from './caller.js'
import type { ApiReply, ApiRequest } from './request.js'

/** Bounds how much callers ask for in a time. */
export interface Rates {
  /** Begins to count a request; `null` for one that is not counted, such as the host program's own. */
  open(request: ApiRequest): Meter | null
}

/** Counts one request, with every operation in it. Each method is called once, in this order. */
export interface Meter {
  /** Before anything else. @throws {AppError} `too_many_requests` */
  admitAddress(): Promise<void> | void
  /** Once it is known who asks. @throws {AppError} `too_many_requests` */
  admitCaller(caller: Caller): Promise<void> | void
  /** The reply, with headers that tell what is left. */
  sign(reply: ApiReply): ApiReply
}
