import { isHarmless, plainText } from './plain-text.ts'
import type { Rule } from './rules.ts'

/** What was found in one request. */
export class Findings {
  score = 0
  readonly ids: string[] = []
  readonly #rules: readonly Rule[]

  constructor(rules: readonly Rule[]) {
    this.#rules = rules
  }

  /** Looks at one text: a decoded value, a header, a line of prose. */
  look(text: string): void {
    if (isHarmless(text)) return
    const plain = plainText(text)
    for (const { id, score, pattern, breaksOut } of this.#rules) {
      if (!pattern.test(plain) || this.ids.includes(id)) continue
      if (breaksOut === true && !isOutbreak(plain, pattern)) continue
      this.ids.push(id)
      this.score += score
    }
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
}

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

/** Whether the quote at one of the matches is the first, third or fifth of its kind. One walk over the text. */
function isOutbreak(text: string, pattern: RegExp): boolean {
  const before = new Map<string, number>()
  let at = 0
  for (const { index } of text.matchAll(new RegExp(pattern, 'g'))) {
    for (; at < index; at++) {
      const letter = text[at] as string
      if (letter === "'" || letter === '"' || letter === '`')
        before.set(letter, (before.get(letter) ?? 0) + 1)
    }
    if (((before.get(text[index] as string) ?? 0) & 1) === 0) return true
  }
  return false
}
