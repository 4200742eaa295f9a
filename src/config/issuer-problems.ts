import type { ReferenceProblem } from './references.ts'
import type { Config } from './schema.ts'

/** What of the issuer's configuration contradicts itself or the rest. */
export function issuerProblems({ auth }: Config): readonly ReferenceProblem[] {
  const { issuer } = auth
  if (issuer === undefined) return []
  const problems: ReferenceProblem[] = []
  const issue = (path: readonly PropertyKey[], message: string): void => {
    problems.push({ path: ['auth', 'issuer', ...path], message })
  }
  if (issuer.users.length === 0 && issuer.usersFile === undefined)
    issue(['users'], 'needs users, here or in usersFile')
  if (auth.jwt.some((other) => other.issuer === issuer.issuer))
    issue(
      ['issuer'],
      `"${issuer.issuer}" stands in auth.jwt too: tokens of the gateway's own issuer need no entry there`,
    )
  if (issuer.refreshTokenFor < issuer.accessTokenFor)
    issue(['refreshTokenFor'], 'must not be shorter than accessTokenFor')
  if (issuer.keys.rotateEvery < issuer.accessTokenFor)
    issue(['keys', 'rotateEvery'], 'must not be shorter than accessTokenFor')
  if (issuer.lockout.maxDelay < issuer.lockout.delay)
    issue(['lockout', 'maxDelay'], 'must not be shorter than delay')
  return problems
}
