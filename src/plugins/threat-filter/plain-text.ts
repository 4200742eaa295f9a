/** Stands between two texts: a letter that belongs to nobody (Unicode, private use). */
export const border = '\ue000'

/**
 * A text as the rules read it: full-width letters narrowed, percent-encoding taken off once more where there is some, lower case, SQL
 * comments and runs of white space as one blank. Each step is one walk over the text.
 */
export function plainText(text: string): string {
  let plain = wide.test(text) ? text.replace(everyWide, narrow) : text
  if (plain.includes('%')) plain = plain.replace(percent, decoded)
  plain = plain.toLowerCase()
  if (plain.includes('/*')) plain = withoutComments(plain)
  return plain.replace(blanks, ' ')
}

/** Whether nothing in a text can be part of what the rules look for: the cheap answer for most values. */
export function isHarmless(text: string): boolean {
  return harmless.test(text) && !text.includes('..')
}

/** What stands within is no longer there for MySQL, but for what it reads of a comment with `!`. One that does not end within its text stays. */
function withoutComments(text: string): string {
  let plain = ''
  let at = 0
  let next = -1
  for (;;) {
    const start = text.indexOf('/*', at)
    const end = start === -1 ? -1 : text.indexOf('*/', start + 2)
    if (end === -1) return plain + text.slice(at)
    if (next < start) next = borderFrom(text, start)
    if (next < end) {
      plain += text.slice(at, next)
      at = next
      continue
    }
    plain += `${text.slice(at, start)} `
    if (text[start + 2] === '!') plain += `${text.slice(start + 3, end).replace(versionOfMysql, '')} `
    at = end + 2
  }
}

function borderFrom(text: string, at: number): number {
  const found = text.indexOf(border, at)
  return found === -1 ? text.length : found
}

function narrow(letter: string): string {
  return String.fromCharCode(letter.charCodeAt(0) - 0xfe_e0)
}

function decoded(_: string, hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16))
}

const harmless = /^[\w.,@-]*$/
const wide = /[\uff01-\uff5e]/
const everyWide = /[\uff01-\uff5e]/g
const percent = /%([0-9a-f]{2})/gi
const blanks = /[\s\u00a0]+/g
const versionOfMysql = /^\d{5,6}/
