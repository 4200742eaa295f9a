/** How the path changes on its way to the upstream. */
export interface RewriteOptions {
  /** Whole segments taken off the front; a path that does not begin with them is left. */
  readonly stripPrefix?: string | undefined
  /** A fixed path instead of the request's. */
  readonly path?: string | undefined
  /** Put before the path, after stripPrefix. */
  readonly prefix?: string | undefined
}

/** The path for the upstream, from the canonical path of the request. */
export type Rewrite = (path: string) => string

/** Compiles a rewrite; what is taken off shows in `X-Forwarded-Prefix`. */
export function compileRewrite(options: RewriteOptions): Rewrite {
  if (options.path !== undefined) {
    const fixed = join(options.prefix, options.path)
    return () => fixed
  }
  const strip = trimSlash(options.stripPrefix ?? '')
  const { prefix } = options
  return (path) => join(prefix, strip === '' ? path : stripped(path, strip))
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
