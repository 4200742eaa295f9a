import { askAdmin } from './admin-client.ts'
import type { CommandInput } from './command.ts'

/** `gateway token revoke`: no gateway accepts it any more; with `--undo` all accept it again. */
export async function revokeToken(input: CommandInput): Promise<number> {
  const {
    jti,
    sid,
    sub,
    consumer,
    issuer,
    before,
    until,
    expires: expiresAt,
    note,
    undo = false,
  } = input.values
  const token = await tokenOf(input)
  const named = Object.entries({ token, jti, sid, sub, consumer }).filter(([, value]) => value !== undefined)
  if (named.length !== 1)
    throw new Error('usage: gateway token revoke TOKEN, or one of --jti, --sid, --sub and --consumer')
  const terms = undo ? {} : { before, until, expiresAt, note }
  const body = { ...Object.fromEntries(named), issuer, ...terms }
  const path = undo ? '/tokens:unrevoke' : '/tokens:revoke'
  const told = await askAdmin(input, { method: 'POST', path, body, has: 'reach' })
  const { reach, warnings = [] } = told as { reach: string; warnings?: readonly string[] }
  if (input.json) console.log(JSON.stringify(told, null, 2))
  else {
    const where = reach === 'here' ? 'on this gateway; on the others when Redis is back' : 'on all gateways'
    console.log(undo ? `accepted again ${where}` : `revoked ${where}`)
    for (const warning of warnings) console.error(`warning: ${warning}`)
  }
  return 0
}

/** `gateway token verify TOKEN`: whom a running gateway takes it for, or why it refuses it. Exit code 1 when it does. */
export async function verifyToken(input: CommandInput): Promise<number> {
  const token = await tokenOf(input)
  const told = await askAdmin(input, {
    method: 'POST',
    path: '/tokens:verify',
    body: { token },
    has: 'valid',
  })
  console.log(JSON.stringify(told, null, 2))
  return (told as { valid: boolean }).valid ? 0 : 1
}

/** From standard input it does not stand in the list of processes. */
async function tokenOf({ words: [word] }: CommandInput): Promise<string | undefined> {
  if (word !== '-') return word
  let text = ''
  for await (const chunk of process.stdin) text += chunk
  return text.trim()
}
