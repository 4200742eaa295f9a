import { hash } from 'node:crypto'

/** How a consumer's key stands in the configuration: `sha256:` and 64 hexadecimal digits. The key itself is kept nowhere. */
export function hashOfKey(key: string): string {
  return `sha256:${hash('sha256', key)}`
}
