import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { GatewayError } from '../core/error.ts'
import type { HttpExchange } from '../core/http-exchange.ts'
import { type SentFile, sendFile, sentFile } from '../core/sent-file.ts'

/** What the page is made of. */
export interface UiOptions {
  /** Where it is. */
  readonly path: string
  /** Where the document is that it shows. */
  readonly document: string
  /** The header with the key of a consumer. */
  readonly apiKeyHeader: string
  readonly title: string
}

/** Swagger UI out of `swagger-ui-dist`: the page and all that it needs, each read and packed when it is first asked for. */
export class UiFiles {
  readonly #options: UiOptions
  #page: Promise<SentFile> | undefined

  constructor(options: UiOptions) {
    this.#options = options
  }

  /** Throws ROUTE_NOT_FOUND for what it has not. */
  async serve(x: HttpExchange): Promise<void> {
    const { path } = this.#options
    const name = x.request.path.slice(path.length + 1)
    if (x.request.path === path) {
      this.#page ??= sentFile('text/html; charset=utf-8', Buffer.from(pageText(this.#options)))
      return sendFile(x, await this.#page, headers)
    }
    // Links of the page are relative to the path without a slash at its end.
    if (name === '') return x.answer(308, ['Location', `../${lastOf(path)}`, ...headers], '')
    const asset = assets.get(name)
    if (asset === undefined) throw new GatewayError('ROUTE_NOT_FOUND', 'The documentation has no such file.')
    sendFile(x, await asset(), headers)
  }
}

/** The same for every configuration. */
const assets: ReadonlyMap<string, () => Promise<SentFile>> = new Map([
  ['swagger-ui.css', asset('text/css; charset=utf-8', ofSwagger('swagger-ui.css'))],
  ['swagger-ui-bundle.js', asset('text/javascript; charset=utf-8', ofSwagger('swagger-ui-bundle.js'))],
  ['favicon-32x32.png', asset('image/png', ofSwagger('favicon-32x32.png'))],
  ['start.js', asset('text/javascript; charset=utf-8', () => join(import.meta.dirname, 'ui', 'start.js'))],
  ['start.css', asset('text/css; charset=utf-8', () => join(import.meta.dirname, 'ui', 'start.css'))],
])

function ofSwagger(name: string): () => string {
  return () => join(dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json')), name)
}

function asset(contentType: string, file: () => string): () => Promise<SentFile> {
  let kept: Promise<SentFile> | undefined
  return () => {
    kept ??= readFile(file())
      .then((bytes) => sentFile(contentType, bytes))
      .catch((error: unknown) => {
        kept = undefined
        throw error
      })
    return kept
  }
}

/** No script but the files of the page, no connection but to this origin, no frame around it. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
]

const headers = [
  ...['Content-Security-Policy', policy.join('; ')],
  ...['X-Content-Type-Options', 'nosniff'],
  ...['X-Frame-Options', 'DENY'],
  ...['Referrer-Policy', 'no-referrer'],
  ...['Cross-Origin-Opener-Policy', 'same-origin'],
  ...['Cache-Control', 'no-cache'],
  ...['Vary', 'Accept-Encoding'],
]

/** Links are relative, so that a proxy in front may serve it all below a prefix. */
function pageText({ path, document, apiKeyHeader, title }: UiOptions): string {
  const files = lastOf(path)
  const up = '../'.repeat(path.split('/').length - 2)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<link rel="icon" type="image/png" href="${files}/favicon-32x32.png">
<link rel="stylesheet" href="${files}/swagger-ui.css">
<link rel="stylesheet" href="${files}/start.css">
</head>
<body>
<main id="api"></main>
<script src="${files}/swagger-ui-bundle.js"></script>
<script src="${files}/start.js" data-document="${up}${document.slice(1)}" data-key-header="${escaped(apiKeyHeader)}"></script>
</body>
</html>
`
}

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
}
