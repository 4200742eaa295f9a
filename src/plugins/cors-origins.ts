/** Which origins may: by name, or by pattern. */
export class CorsOrigins {
  readonly everybody: boolean
  readonly #names: ReadonlySet<string>
  readonly #patterns: readonly Pattern[]

  /** @param listed `*`, origins as browsers write them, and patterns (`https://*.example.com`); each one that {@link originProblem} has nothing against. */
  constructor(listed: readonly string[]) {
    this.everybody = listed.includes('*')
    this.#names = new Set(listed.filter((text) => !text.includes('*')))
    this.#patterns = listed.filter((text) => text !== '*' && text.includes('*')).map(compile)
  }

  includes(origin: string): boolean {
    if (this.everybody || this.#names.has(origin)) return true
    return this.#patterns.some(({ before, after }) => {
      if (!origin.startsWith(before) || !origin.endsWith(after)) return false
      // One name or several, and nothing that could end the host there.
      return names.test(origin.slice(before.length, origin.length - after.length))
    })
  }
}

/** What is wrong with an entry of the list; undefined when nothing is. */
export function originProblem(text: string): string | undefined {
  if (text === '*') return undefined
  if (text === 'null')
    return '"null" is the origin of every sandboxed page and local file, whosoever; name yours'
  if (text.includes('*')) {
    return patternGrammar.test(text) && isOrigin(text.replace('*', 'a'))
      ? undefined
      : `"${text}" is no pattern; "*" stands for the first names of a host, with two names behind it: https://*.example.com`
  }
  return isOrigin(text)
    ? undefined
    : `"${text}" is no origin; write scheme, host and port without a path: https://app.example.com`
}

interface Pattern {
  readonly before: string
  readonly after: string
}

function compile(pattern: string): Pattern {
  const [before = '', after = ''] = pattern.split('*')
  return { before, after }
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text
}

/** Two names at least, so that nobody allows all of a top-level domain. */
const patternGrammar = /^https?:\/\/\*(?:\.[a-z0-9-]+){2,}(?::\d{1,5})?$/
const names = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/
