import { readFileSync } from 'node:fs'
import { isAbsolute, relative } from 'node:path'

/** A path as messages show it: relative to the working directory where it lies below it. */
export function shownPath(path: string): string {
  const shown = relative(process.cwd(), path)
  return shown.startsWith('..') || isAbsolute(shown) ? path : shown
}

/** A `.proto` file in which places are looked up, because the parser keeps none of what it has read without a mistake. */
export class ProtoText {
  readonly #shown: string
  readonly #text: string

  constructor(file: string) {
    this.#shown = shownPath(file)
    this.#text = withoutComments(file)
  }

  /** `a.proto:12:3`: where the last of these patterns matches, each looked for behind the one before; `a.proto` when one does not. */
  placeOf(...patterns: readonly RegExp[]): string {
    let at = 0
    for (const pattern of patterns) {
      const found = this.#text.slice(at).search(pattern)
      if (found === -1) return this.#shown
      at += found
    }
    const before = this.#text.slice(0, at).split('\n')
    return `${this.#shown}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`
  }

  /** `a.proto:12:3` for a token of that line, `a.proto:12` when it does not stand there once. */
  placeOnLine(line: number, token: string): string {
    const text = this.#text.split('\n')[line - 1] ?? ''
    const column = text.indexOf(token)
    const once = token !== '' && column !== -1 && text.indexOf(token, column + 1) === -1
    return once ? `${this.#shown}:${line}:${column + 1}` : `${this.#shown}:${line}`
  }
}

/** A word as it stands between others. */
export function word(text: string): string {
  return `(?<![\\w.])${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?!\\w)`
}

/** Blanks take the place of comments, so that everything else keeps its own. Empty when the file cannot be read. */
function withoutComments(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(
      /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
      (found) => (found.startsWith('/') ? found.replace(/[^\n]/g, ' ') : found),
    )
  } catch {
    return ''
  }
}
