import { createApiKey, hashApiKey } from '../plugins/identity/api-key.ts'
import type { CommandInput } from './commands.ts'

/** `gateway keys create CONSUMER`: prints a new key once, and what belongs into the configuration. */
export async function createKey(input: CommandInput): Promise<number> {
  const [consumer = ''] = input.words
  if (consumer === '') throw new Error('usage: gateway keys create CONSUMER')
  const key = createApiKey('live')
  const hash = hashApiKey(key)
  if (input.json) {
    console.log(JSON.stringify({ consumer, key, hash }))
    return 0
  }
  console.log(`key (shown this once): ${key}\n`)
  console.log(`consumers:\n  - id: ${consumer}\n    keys:\n      - hash: ${hash}`)
  return 0
}
