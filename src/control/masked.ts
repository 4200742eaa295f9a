import { isDeepStrictEqual } from 'node:util'
import { maskSecrets } from '../config/mask.ts'
import { GatewayError } from '../core/error.ts'
import { isRecord } from '../core/is-record.ts'
import { ConfigText } from './config-text.ts'

/** What stands for a secret. */
const mask = '***'

/** A written value as people may see it: secrets as `***`, references to them (`${NAME}`, `file://`) as they are. `path`: the keys that lead to it. */
export function masked(value: unknown, path: readonly string[] = []): unknown {
  return maskSecrets(value, { path, keep: isReference })
}

/** The text of a configuration as people may see it, with its comments. */
export function maskedConfig(text: string): string {
  const shown = new ConfigText(text)
  shown.set([], masked(shown.data))
  return shown.toString()
}

/**
 * The text with the secrets of `before` where it has `***`: what people read, changed and sent back. Throws INVALID_ARGUMENT where nobody can tell
 * which secret is meant.
 */
export function unmaskedConfig(text: string, before: unknown): string {
  if (!text.includes(mask)) return text
  const edited = new ConfigText(text)
  const lost: string[] = []
  const restored = restore(edited.data, before, { pointer: '', path: [], lost })
  if (lost.length > 0)
    throw new GatewayError('INVALID_ARGUMENT', 'There is no telling which secret *** stands for.', {
      violations: lost.map((field) => ({
        field,
        detail: 'is masked: write the secret itself, a variable of the environment, or file://',
      })),
    })
  edited.set([], restored)
  return edited.toString()
}

interface Place {
  /** As a JSON pointer. */
  readonly pointer: string
  /** The keys that lead there, without those of lists. */
  readonly path: readonly string[]
  readonly lost: string[]
}

function restore(value: unknown, before: unknown, { pointer, path, lost }: Place): unknown {
  if (isRecord(value)) {
    const old = isRecord(before) ? before : {}
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [
        name,
        restore(member, old[name], { pointer: `${pointer}/${name}`, path: [...path, name], lost }),
      ]),
    )
  }
  if (Array.isArray(value)) {
    const old: readonly unknown[] = Array.isArray(before) ? before : []
    return value.map((item, index) =>
      restore(item, counterpart(item, old, { index, path }), { pointer: `${pointer}/${index}`, path, lost }),
    )
  }
  if (typeof value !== 'string' || !value.includes(mask)) return value
  if (typeof before === 'string' && masked(before, path) === value) return before
  // A text that only looks like it.
  if (value !== mask && !value.includes(`:${mask}@`)) return value
  lost.push(pointer)
  return value
}

/** What an item of a list was: the same but for its secrets, or of the same name. */
function counterpart(
  item: unknown,
  old: readonly unknown[],
  { index, path }: { readonly index: number; readonly path: readonly string[] },
): unknown {
  const same = old.filter((one) => isDeepStrictEqual(masked(one, path), item))
  if (same.length === 1) return same[0]
  if (same.length > 1) return same.includes(old[index]) ? old[index] : undefined
  if (!isRecord(item)) return undefined
  const naming = names.find((name) => typeof item[name] === 'string' && item[name] !== mask)
  if (naming === undefined) return undefined
  const named = old.filter((one) => isRecord(one) && one[naming] === item[naming])
  return named.length === 1 ? named[0] : undefined
}

/** By what items of lists are told apart, whatever else of them changes. */
const names = ['id', 'name', 'issuer', 'url', 'prefix']

function isReference(text: string): boolean {
  return /^(?:\$\{[A-Za-z_][A-Za-z0-9_]*(?::-)?\}|file:\/\/.*)$/.test(text)
}
