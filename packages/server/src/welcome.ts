import type { DatabasePlace } from './database-place.js'
import type { Bootstrapped } from './engine.js'

export interface WelcomeFacts {
  version: string
  /** Where this machine reaches the server. */
  url: string
  place: DatabasePlace
  bootstrapped: Bootstrapped
}

/** What a start prints for people. The generated password is in it when it was made just now, and never again. */
export const welcome = ({ version, url, place, bootstrapped }: WelcomeFacts): string => {
  const { username, password, organization, application } = bootstrapped
  const sandbox = `${url}/${organization}/${application}`
  const data = place.kind === 'memory' ? 'in memory, lost when the server stops' : place.shown
  const lines = [
    `Entigrid ${version} runs at ${url}`,
    '',
    `  Data           ${data}`,
    `  Administrator  ${username}`,
  ]
  if (password !== undefined) lines.push(`  Password       ${password}   (shown this once: note it down)`)
  lines.push(
    '',
    'Try it:',
    '',
    `  curl -X POST ${sandbox}/dogs -d '{"breed":"corgi"}'`,
    `  curl ${sandbox}/dogs`,
    '',
    `${organization}/${application} is open to everybody who can reach this server.`,
    '',
  )
  return lines.join('\n')
}
