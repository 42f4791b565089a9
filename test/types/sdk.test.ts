import type * as core from '@entigrid/core'
import type * as sdk from '@entigrid/sdk'
import { describe, expectTypeOf, it } from 'vitest'

describe("the client's own copy of the engine's shapes", () => {
  it('asks what the engine takes, and takes what it answers', () => {
    expectTypeOf<sdk.EngineRequest>().toExtend<core.ApiRequest>()
    expectTypeOf<sdk.BatchOperation>().toExtend<core.BatchOperation>()
    expectTypeOf<core.ApiReply>().toExtend<sdk.EngineReply>()
    expectTypeOf<sdk.Json>().toEqualTypeOf<core.Json>()
  })
})
