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

function stripped(path: string, strip: string): string {
  if (!path.startsWith(strip)) return path
  const rest = path.slice(strip.length)
  if (rest === '') return '/'
  return rest.startsWith('/') ? rest : path
}

function join(prefix: string | undefined, path: string): string {
  return prefix === undefined ? path : `${trimSlash(prefix)}${path}`
}

function trimSlash(text: string): string {
  return text.endsWith('/') ? text.slice(0, -1) : text
}
