import { resolve } from 'node:path'
import {
  type Captcha,
  FileMailer,
  LogMailer,
  type Mailer,
  type RegistrationOptions,
  SmtpMailer,
  siteVerifyCaptcha,
} from '@entigrid/core'
import { ConfigError } from './config-error.js'
import { dashed, mustBe, oneOf, type Setting, text, yesOrNo } from './setting.js'

/** What the server can be told of mails and of how accounts begin. */
export interface AccountSettings extends RegistrationSettings {
  mail: string
  mailFrom: string | undefined
  sysadminEmail: string | undefined
  captcha: keyof typeof CAPTCHAS | undefined
  captchaSiteKey: string | undefined
  captchaSecret: string | undefined
}

type RegistrationSettings = { [Name in RegistrationSwitch as `registration.${Name}`]: boolean }
type RegistrationSwitch = keyof typeof SWITCHES

/** Default and meaning of each switch. */
const SWITCHES = {
  open: [true, 'Anybody may make administrators and organizations'],
  confirmAdmins: [false, 'Administrators who register themselves must follow the link of a mail'],
  confirmOrganizations: [false, 'New organizations work once their owner follows the link of a mail'],
  approveAdmins: [false, 'Administrators who register themselves must be approved of, by a link in a mail'],
  approveOrganizations: [false, 'New organizations must be approved of, by a link in a mail'],
  notifyOfActivation: [true, 'Who was approved of gets a mail'],
  notifyOfNewAdmins: [false, 'New administrators are told of by a mail to sysadminEmail'],
  notifyOfNewOrganizations: [false, 'New organizations are told of by a mail to sysadminEmail'],
} as const satisfies Record<Exclude<keyof RegistrationOptions, 'sysadminEmail'>, readonly [boolean, string]>

/** The services that a captcha can be of: they check what their widget sent in the same way. */
const CAPTCHAS = {
  recaptcha: {
    script: 'https://www.google.com/recaptcha/api.js',
    className: 'g-recaptcha',
    url: 'https://www.google.com/recaptcha/api/siteverify',
  },
  hcaptcha: {
    script: 'https://js.hcaptcha.com/1/api.js',
    className: 'h-captcha',
    url: 'https://api.hcaptcha.com/siteverify',
  },
  turnstile: {
    script: 'https://challenges.cloudflare.com/turnstile/v0/api.js',
    className: 'cf-turnstile',
    url: 'https://challenges.cloudflare.com/turnstile/v0/siteverify',
  },
}

const mail = (value: string): string =>
  /^(?:console$|file:.|smtps?:\/\/.)/.test(value)
    ? value
    : mustBe('console, file:FOLDER, smtp://USER:PASSWORD@HOST:PORT or smtps://...')

const switchSetting = (name: RegistrationSwitch): Setting<boolean> => {
  const [fallback, help] = SWITCHES[name]
  const flag = `registration-${dashed(name)}`
  return {
    env: `ENTIGRID_${flag.replaceAll('-', '_').toUpperCase()}`,
    flag,
    ...(fallback && { hint: 'true|false' }),
    fallback,
    help,
    read: yesOrNo,
  }
}

export const ACCOUNT_SETTINGS: { readonly [Key in keyof AccountSettings]: Setting<AccountSettings[Key]> } = {
  mail: {
    env: 'ENTIGRID_MAIL',
    flag: 'mail',
    hint: 'WHERE',
    fallback: 'console',
    help: 'Where mails go: console writes them to the log, file:FOLDER into a folder, smtp://USER:PASSWORD@HOST:PORT or smtps://... to a mail server',
    hidden: true,
    read: mail,
  },
  mailFrom: {
    env: 'ENTIGRID_MAIL_FROM',
    flag: 'mail-from',
    hint: 'ADDRESS',
    fallback: undefined,
    help: 'Sender of mails: an address, or a name and an address; required with a mail server',
    read: text,
  },
  sysadminEmail: {
    env: 'ENTIGRID_SYSADMIN_EMAIL',
    flag: 'sysadmin-email',
    hint: 'ADDRESS',
    fallback: undefined,
    help: 'Where mails to the system administrator go, such as requests for approval',
    read: text,
  },
  captcha: {
    env: 'ENTIGRID_CAPTCHA',
    flag: 'captcha',
    hint: 'SERVICE',
    fallback: undefined,
    help: `Asks on pages that send mails whether a human is there: ${Object.keys(CAPTCHAS).join(', ')}`,
    read: oneOf(...(Object.keys(CAPTCHAS) as (keyof typeof CAPTCHAS)[])),
  },
  captchaSiteKey: {
    env: 'ENTIGRID_CAPTCHA_SITE_KEY',
    flag: 'captcha-site-key',
    hint: 'TEXT',
    fallback: undefined,
    help: 'Public key of the captcha',
    read: text,
  },
  captchaSecret: {
    env: 'ENTIGRID_CAPTCHA_SECRET',
    flag: 'captcha-secret',
    hint: 'TEXT',
    fallback: undefined,
    help: 'Secret key of the captcha',
    hidden: true,
    read: text,
  },
  ...(Object.fromEntries(
    (Object.keys(SWITCHES) as RegistrationSwitch[]).map((name) => [
      `registration.${name}`,
      switchSetting(name),
    ]),
  ) as { readonly [Key in keyof RegistrationSettings]: Setting<boolean> }),
}

/** What the engine is told of it. */
export interface AccountOptions {
  mailer: Mailer
  registration: RegistrationOptions
  captcha: Captcha | undefined
}

/** Relative folders start from `folder`. @throws {ConfigError} for settings that do not go together. */
export const accountOptions = (
  settings: AccountSettings,
  { folder, log }: { folder: string; log: ConstructorParameters<typeof LogMailer>[0] },
): AccountOptions => ({
  mailer: mailerOf(settings, folder, log),
  registration: registrationOf(settings),
  captcha: captchaOf(settings),
})

const registrationOf = (settings: AccountSettings): RegistrationOptions => {
  const names = Object.keys(SWITCHES) as RegistrationSwitch[]
  const asking = ASKING.find((name) => settings[`registration.${name}`])
  if (asking !== undefined && settings.sysadminEmail === undefined)
    throw new ConfigError(`sysadminEmail must be set with registration.${asking}`)
  return {
    ...Object.fromEntries(names.map((name) => [name, settings[`registration.${name}`]])),
    sysadminEmail: settings.sysadminEmail,
  }
}

/** What sends mails to the system administrator. */
const ASKING = [
  'approveAdmins',
  'approveOrganizations',
  'notifyOfNewAdmins',
  'notifyOfNewOrganizations',
] as const satisfies RegistrationSwitch[]

const mailerOf = (
  { mail: where, mailFrom }: AccountSettings,
  folder: string,
  log: ConstructorParameters<typeof LogMailer>[0],
): Mailer => {
  if (where === 'console') return new LogMailer(log)
  if (where.startsWith('file:')) {
    const from = mailFrom ?? 'Entigrid <entigrid@localhost>'
    return new FileMailer({ folder: resolve(folder, where.slice('file:'.length)), from })
  }
  if (mailFrom === undefined) throw new ConfigError('mailFrom must be set where mails go to a mail server')
  try {
    return new SmtpMailer({ url: where, from: mailFrom })
  } catch (error) {
    throw new ConfigError(`mail cannot be used: ${(error as Error).message}`)
  }
}

const captchaOf = ({ captcha, captchaSiteKey, captchaSecret }: AccountSettings): Captcha | undefined => {
  if (captcha === undefined) return undefined
  if (captchaSiteKey === undefined || captchaSecret === undefined)
    throw new ConfigError('captchaSiteKey and captchaSecret must be set where there is a captcha')
  return siteVerifyCaptcha({ ...CAPTCHAS[captcha], siteKey: captchaSiteKey, secret: captchaSecret })
}
