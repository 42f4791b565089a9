// @ts-check
import { entigrid } from '@entigrid/server'
import express from 'express'

/**
 * A café's web application. It was there before the engine: its own page, its own JSON, its own errors. What
 * the engine brings is the line that mounts it, and a place to keep orders.
 * @param {import('@entigrid/core').Engine} engine
 * @param {{ application: string }} options `application` is written as organization/application
 */
export const createApp = (engine, { application }) => {
  const app = express()

  app.get('/', (_req, res) => {
    res.send('<h1>Café Central</h1><p>We are open.</p>')
  })

  app.use('/api', entigrid(engine))

  app.post('/orders', express.json(), async (req, res) => {
    const { dish, table } = req.body
    if (typeof dish !== 'string' || !Number.isInteger(table)) {
      return void res.status(422).json({ problem: 'An order is a dish and the number of a table' })
    }
    const session = await engine.app(application).asSystem('an order from the web')
    const { uuid } = await session.create('orders', { dish, table, state: 'new' })
    res.status(201).json({ order: uuid })
  })

  app.use((_req, res) => void res.status(404).send('<h1>We do not serve that</h1>'))

  return app
}
