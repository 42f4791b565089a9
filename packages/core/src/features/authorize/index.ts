export { Authorize } from './authorize.js'
export {
  checkOnce,
  forBrowsers,
  goBack,
  type Return,
  ReturnedError,
  readChallenge,
  readReturn,
  redirect,
  sendingBack,
} from './browser.js'
export { CodeStep } from './code-step.js'
export { Codes, codeGrant } from './codes.js'
export { newOneTimeText, OneTimeTexts } from './one-time.js'
export { Redirects } from './redirects.js'
export { authorizeRoutes } from './routes.js'
