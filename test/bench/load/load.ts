import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { LOAD_CORE, spawnPinned } from '../processes.js'
import type { Context } from '../target.js'
import type { Answer, Figures, Order, Pids, Run } from './protocol.js'

/** The process that makes the load, on a core of its own. */
export class Load {
  readonly #process: ChildProcess

  constructor() {
    const program = {
      command: process.execPath,
      args: [fileURLToPath(new URL('generator.js', import.meta.url))],
    }
    this.#process = spawnPinned(LOAD_CORE, program, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  }

  async use(target: string, context: Context, pids: Pids): Promise<void> {
    await this.#ask({ kind: 'use', target, context, pids })
  }

  async run(target: string, run: Run): Promise<Figures> {
    return (await this.#ask({ kind: 'run', target, run }))!
  }

  async clean(target: string, connections: number): Promise<void> {
    await this.#ask({ kind: 'clean', target, connections })
  }

  close(): void {
    this.#process.disconnect()
  }

  #ask(order: Order): Promise<Figures | undefined> {
    return new Promise((resolve, reject) => {
      const ended = () => reject(new Error('The process that makes the load has ended'))
      this.#process.once('exit', ended)
      this.#process.once('message', ({ figures, error }: Answer) => {
        this.#process.off('exit', ended)
        if (error === undefined) resolve(figures)
        else reject(new Error(error))
      })
      this.#process.send(order)
    })
  }
}
