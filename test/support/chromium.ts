import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { promisify } from 'node:util'
import { type Browser, chromium } from 'playwright-core'

const run = promisify(execFile)

/** Where distributions put it. `CHROMIUM_PATH` goes first. */
const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/** Processes of tests run as root, which its sandbox refuses; and it shall speak to nobody but the test's server. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** An installation downloads about 100 MB. */
export const INSTALL_TIMEOUT = 600_000

/**
 * A headless Chromium, installed first where that is possible: on Debian and its kin, as root.
 * @throws {Error} that says what to install
 */
export const launchChromium = async (): Promise<Browser> => {
  const executablePath = findChromium() ?? (await installChromium())
  return chromium.launch({ executablePath, headless: true, args: FLAGS })
}

const findChromium = (): string | undefined => {
  const { CHROMIUM_PATH } = process.env
  return [...(CHROMIUM_PATH === undefined ? [] : [CHROMIUM_PATH]), ...PLACES].find(isExecutable)
}

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const installChromium = async (): Promise<string> => {
  const wanted =
    'This test needs Chromium: install it ("apt-get install chromium"), or set CHROMIUM_PATH to one'
  if (process.getuid?.() !== 0 || !isExecutable('/usr/bin/apt-get')) throw new Error(wanted)
  console.log('Installing Chromium for a test, with apt-get; this takes about a minute')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const aptGet = (...args: string[]) =>
    run('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=300', ...args], { env, maxBuffer: 1 << 26 })
  try {
    await aptGet('update')
    await aptGet('install', '-y', '--no-install-recommends', 'chromium')
  } catch (cause) {
    throw new Error(wanted, { cause })
  }
  const installed = findChromium()
  if (installed === undefined) throw new Error(wanted)
  return installed
}
