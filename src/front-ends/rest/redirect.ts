import type { HttpExchange } from '../../core/http-exchange.ts'
import { compileText, type Place } from '../../core/text-template.ts'
import { pathText, queryText } from './url-text.ts'

/** Where a redirect route sends its clients. */
export interface RedirectOptions {
  /** A path, or a URL whose scheme and host are written out; values may stand behind them. */
  readonly to: string
  readonly status: 301 | 302 | 303 | 307 | 308
  /** Whether the query of the request goes along, behind that of `to`. */
  readonly keepQuery: boolean
}

/** Compiles a redirect. Throws an Error for values that the place has not. */
export function compileRedirect(
  { to, status, keepQuery }: RedirectOptions,
  place: Place,
): (x: HttpExchange) => void {
  const [, origin = '', path = '', query, fragment] = reference.exec(to) ?? []
  const pathTemplate = compileText(path, place)
  const queryTemplate = compileText(query ?? '', place)
  const fragmentTemplate = compileText(fragment ?? '', place)
  return (x) => {
    let location = origin + pathText(pathTemplate, x)
    const own = queryText(queryTemplate, x)
    const whole = keepQuery && x.request.query !== '' ? `${own && `${own}&`}${x.request.query}` : own
    if (whole !== '') location += `?${whole}`
    if (fragment !== undefined) location += `#${queryText(fragmentTemplate, x)}`
    x.answer(status, ['Location', location], '')
  }
}

/** Origin, path, query, fragment. The configuration was checked: it has an origin without values, or a path. */
const reference = /^(https?:\/\/[^/?#]+)?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s
