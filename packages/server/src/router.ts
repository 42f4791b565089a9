import express, { type Router } from 'express'
import type { Engine } from './engine.js'
import { createHandler, type HandlerOptions } from './handler.js'

/**
 * A router to mount anywhere in an Express application. It answers every request below its path, and brings its
 * own body parsing, limits, CORS and errors; those of the application stay as they are. A body that the
 * application has parsed already is used as it is.
 */
export const entigrid = (engine: Engine, options: HandlerOptions = {}): Router => {
  const handle = createHandler(engine, options)
  const router = express.Router()
  router.use((req, res) => handle(req, res, { path: req.baseUrl, body: req.body }))
  return router
}
