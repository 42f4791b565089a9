export { AccountDesk } from './account-desk.js'
export { type SiteVerifyOptions, siteVerifyCaptcha } from './captcha.js'
export type { Captcha, RegistrationOptions } from './types.js'
