import { border, isHarmless, plainText } from './plain-text.ts'
import type { Rule } from './rules.ts'

/** What was found in one request. */
export interface Verdict {
  readonly score: number
  /** Of the rules that found something. */
  readonly ids: readonly string[]
}

/** The texts of one request. They are judged together, so that many short ones cost no more than a long one; no rule looks across two. */
export class Texts {
  readonly #texts: string[] = []

  /** Takes a decoded value, a header, a line of prose. */
  look(text: string): void {
    if (isHarmless(text)) return
    this.#texts.push(text.includes(border) ? text.replaceAll(border, 'x') : text)
  }

  /** All texts of a JSON value, names of members too. */
  lookAtJson(value: unknown): void {
    const open: unknown[] = [value]
    while (open.length > 0) {
      const one = open.pop()
      if (typeof one === 'string') this.look(one)
      else if (Array.isArray(one)) for (const item of one) open.push(item)
      else if (typeof one === 'object' && one !== null) {
        for (const [name, member] of Object.entries(one)) {
          this.look(name)
          open.push(member)
        }
      }
    }
  }

  /** Names and values of a query or form, whether or not their encoding is right. */
  lookAtPairs(text: string): void {
    for (const pair of text.split('&')) {
      const equals = pair.indexOf('=')
      if (equals > 0) this.look(decoded(pair.slice(0, equals)))
      this.look(decoded(pair.slice(equals + 1)))
    }
  }

  judge(rules: readonly Rule[]): Verdict {
    if (this.#texts.length === 0) return nothing
    const plain = plainText(this.#texts.join(border)).replaceAll(border, '\n')
    const found = rules.filter(
      ({ pattern, breaksOut }) => pattern.test(plain) && (breaksOut !== true || isOutbreak(plain, pattern)),
    )
    return { score: found.reduce((sum, { score }) => sum + score, 0), ids: found.map(({ id }) => id) }
  }
}

const nothing: Verdict = { score: 0, ids: [] }

/** Percent-encoding and `+` taken off; what is no UTF-8 is read byte by byte. */
export function decoded(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text
  const blank = text.replaceAll('+', ' ')
  try {
    return decodeURIComponent(blank)
  } catch {
    return blank.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
  }
}

/** Whether the quote at one of the matches is the first, third or fifth of its kind in its text. One walk over all. */
function isOutbreak(plain: string, pattern: RegExp): boolean {
  let before = new Map<string, number>()
  let at = 0
  for (const { index } of plain.matchAll(new RegExp(pattern, 'gm'))) {
    for (; at < index; at++) {
      const letter = plain[at] as string
      if (letter === '\n') before = new Map()
      else if (letter === "'" || letter === '"' || letter === '`')
        before.set(letter, (before.get(letter) ?? 0) + 1)
    }
    if (((before.get(plain[index] as string) ?? 0) & 1) === 0) return true
  }
  return false
}
