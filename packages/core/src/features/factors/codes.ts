import { randomBytes } from 'node:crypto'
import { type SecretBox, secretBox } from '../auth/index.js'
import type { FactorEdits, PendingTotp } from './kept.js'
import { hashRecoveryCode } from './recovery-codes.js'
import { matchTotp, TOTP_SECRET_BYTES } from './totp.js'

/** A code that somebody types. */
export interface CodeProof {
  kind: 'totp' | 'recovery'
  code: string
}

/** Takes codes, each once: within the transaction that notes it. */
export class Codes {
  readonly #box: SecretBox

  constructor(secret: Buffer) {
    this.#box = secretBox(secret, 'second factors')
  }

  /** A new secret for an authenticator app, and what is stored of it. */
  newSecret(): { secret: Buffer; sealed: string } {
    const secret = randomBytes(TOTP_SECRET_BYTES)
    return { secret, sealed: this.#box.seal(secret.toString('base64url')) }
  }

  /** Whether the code is right, which it is not again. */
  take(factors: FactorEdits, { kind, code }: CodeProof): boolean {
    return kind === 'totp' ? this.#takeTotp(factors, code) : this.#takeRecoveryCode(factors, code)
  }

  /** Whether the code shows that the app has the secret it was offered, which counts from then on. */
  confirm(factors: FactorEdits, pending: PendingTotp, code: string): boolean {
    const step = this.#match(pending, code, factors.now, -1)
    if (step === null) return false
    factors.setTotp({ sealed: pending.sealed, created: factors.now, step })
    factors.setPending(null)
    return true
  }

  #takeTotp(factors: FactorEdits, code: string): boolean {
    const { totp } = factors.kept
    const step = totp === null ? null : this.#match(totp, code, factors.now, totp.step)
    if (totp === null || step === null) return false
    factors.setTotp({ ...totp, step })
    return true
  }

  #takeRecoveryCode(factors: FactorEdits, code: string): boolean {
    const hash = hashRecoveryCode(code)
    if (hash === null || !factors.kept.hasRecoveryCode(hash)) return false
    factors.removeRecoveryCode(hash)
    return true
  }

  #match({ sealed }: PendingTotp, code: string, now: number, last: number): number | null {
    return matchTotp(Buffer.from(this.#box.open(sealed), 'base64url'), code, now, last)
  }
}
