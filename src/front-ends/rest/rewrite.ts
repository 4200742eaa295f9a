import type { Exchange } from '../../core/exchange.ts'
import { compileText, isLiteral, type Place } from '../../core/text-template.ts'
import { compileQueryChanges, type QueryChanges } from './query-changes.ts'
import { pathText } from './url-text.ts'

/** How path and query change on their way to the upstream. */
export interface RewriteOptions {
  /** Whole segments taken off the front; a path that does not begin with them is left. */
  readonly stripPrefix?: string | undefined
  /** Another path instead of the request's; may have values in it. */
  readonly path?: string | undefined
  /** Put before the path, after stripPrefix. */
  readonly prefix?: string | undefined
  readonly query?: QueryChanges | undefined
}

/** Path and query for the upstream. */
export type Rewrite = (x: Exchange) => string

/** Compiles a rewrite; what is taken off shows in `X-Forwarded-Prefix`. Throws an Error for values that the place has not. */
export function compileRewrite(options: RewriteOptions, place: Place): Rewrite {
  const path = compilePath(options, place)
  const query = options.query && compileQueryChanges(options.query, place)
  if (query === undefined) {
    return (x) => {
      const unchanged = x.request.query
      return unchanged === '' ? path(x) : `${path(x)}?${unchanged}`
    }
  }
  return (x) => {
    const changed = query(x)
    return changed === '' ? path(x) : `${path(x)}?${changed}`
  }
}

function compilePath({ path, prefix, stripPrefix }: RewriteOptions, place: Place): Rewrite {
  if (path !== undefined) {
    const text = compileText(join(prefix, path), place)
    if (!isLiteral(text)) return (x) => pathText(text, x)
    const fixed = join(prefix, path)
    return () => fixed
  }
  const strip = trimSlash(stripPrefix ?? '')
  return ({ request }) => join(prefix, strip === '' ? request.path : stripped(request.path, strip))
}

/** The table matches without `;parameters`, and so must this: `/v1/users;a=1/42` is below `/v1/users`. */
function stripped(path: string, strip: string): string {
  let rest = path
  if (path.startsWith(`${strip}/`)) return path.slice(strip.length)
  for (const segment of strip.split('/').slice(1)) {
    const match = /^\/([^/;]*)(?:;[^/]*)?(?=\/|$)/.exec(rest)
    if (match?.[1] !== segment) return path
    rest = rest.slice(match[0].length)
  }
  return rest === '' ? '/' : rest
}

function join(prefix: string | undefined, path: string): string {
  return prefix === undefined ? path : `${trimSlash(prefix)}${path}`
}

function trimSlash(text: string): string {
  return text.endsWith('/') ? text.slice(0, -1) : text
}
