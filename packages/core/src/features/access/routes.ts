import { type AppCall, type Route, route } from '../../api/route.js'
import { appEnvelope } from '../collections/index.js'
import type { Explanations } from './explanations.js'

/** `GET /_access?user=&method=&path=`: whether a request would be allowed, and by what. */
export const accessRoute = (explanations: Explanations): Route<AppCall> =>
  route('GET', '_access', async (call: AppCall) =>
    appEnvelope(call, { entities: [], data: await explanations.explain(call) }),
  )
