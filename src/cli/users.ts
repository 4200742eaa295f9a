import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { hashPassword, writePasswordHash } from '../issuer/password-hash.ts'
import { preparePassword } from '../issuer/prepared-text.ts'
import type { CommandInput } from './command.ts'

/** NIST SP 800-63B section 5.1.1. */
const minLength = 8

/** `gateway users hash`: reads a password from standard input, unseen where that is a terminal, and prints what belongs into the configuration: in quotes, since YAML would end a bare hash at a comma within `{}`. */
export async function hashUserPassword(input: CommandInput): Promise<number> {
  const typed = process.stdin.isTTY ? await ask() : await firstLine()
  const password = preparePassword(typed)
  if (password === undefined) throw new Error('a password has 1 to 1,024 bytes, none of control')
  if ([...password].length < minLength) throw new Error(`a password needs ${minLength} characters at least`)
  const passwordHash = writePasswordHash(await hashPassword(password))
  console.log(input.json ? JSON.stringify({ passwordHash }) : `"${passwordHash}"`)
  return 0
}

/** Twice, because nobody sees what is typed. */
async function ask(): Promise<string> {
  const first = await hiddenLine('password: ')
  if ((await hiddenLine('once more: ')) !== first) throw new Error('the two are not the same')
  return first
}

function hiddenLine(question: string): Promise<string> {
  process.stderr.write(question)
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0 })
  return new Promise((resolve, reject) => {
    lines.once('SIGINT', () => {
      lines.close()
      reject(new Error('interrupted'))
    })
    lines.question('', (line) => {
      lines.close()
      process.stderr.write('\n')
      resolve(line)
    })
  })
}

async function firstLine(): Promise<string> {
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY }))
    return line
  return ''
}
