/** One thing that the standalone server can be told. */
export interface Setting<Value = unknown> {
  /** Name of the environment variable. */
  env: string
  /** Name of the flag, without its dashes. */
  flag: string
  /** What stands for the value in the help; absent for switches. */
  hint?: string
  fallback: Value
  help: string
  /** Its value must not appear in messages. */
  hidden?: true
  /** @throws {Error} whose message continues "KEY must be ..." */
  read(text: string): Value
}

export const mustBe = (what: string): never => {
  throw new Error(what)
}

export const text = (value: string): string => value

export const wholeNumber = (value: string): number =>
  /^\d{1,15}$/.test(value) ? Number(value) : mustBe('a whole number')

export const oneOf =
  <Choice extends string>(...choices: Choice[]) =>
  (value: string): Choice =>
    choices.find((choice) => choice === value) ?? mustBe(`one of ${choices.join(', ')}`)

export const yesOrNo = (value: string): boolean => {
  if (/^(?:true|1|yes|on)$/i.test(value)) return true
  return /^(?:false|0|no|off)$/i.test(value) ? false : mustBe('true or false')
}

/** `batchEntities` as `batch-entities`. */
export const dashed = (name: string): string =>
  name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
