import { adminSuite } from './admins.js'
import { batchSuite } from './batches.js'
import { callerSuite } from './callers.js'
import { connectionSuite } from './connections.js'
import { entitySuite, listingSuite } from './entities.js'
import { identitySuite } from './identity.js'
import { lostReplySuite } from './lost-replies.js'
import { changeSuite, conditionSuite } from './safe-writes.js'
import type { OpenTarget } from './target.js'

/** What a client can be relied on for, whichever way it reaches the engine. */
export const sdkSuite = (name: string, openTarget: OpenTarget): void => {
  for (const suite of [
    entitySuite,
    listingSuite,
    connectionSuite,
    changeSuite,
    conditionSuite,
    lostReplySuite,
    batchSuite,
    callerSuite,
    identitySuite,
    adminSuite,
  ])
    suite(name, openTarget)
}
