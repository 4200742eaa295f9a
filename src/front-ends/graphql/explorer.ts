import { GatewayError } from '../../core/error.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'
import { sendFile } from '../../core/sent-file.ts'
import { type ExplorerPage, explorerPage } from './explorer-page.ts'
import { accepts } from './media-type.ts'

/** Answers a browser's navigation with the GraphiQL page, which runs its operations against the same URL. */
export async function serveExplorer(x: HttpExchange): Promise<void> {
  if (!accepts(x.header('accept'), 'text/html')) {
    throw new GatewayError('NOT_ACCEPTABLE', 'A navigation is answered with an HTML page only.')
  }
  const { html: plain, scriptHash, ...page } = await explorerPage()
  sendFile(x, { ...page, plain, contentType: 'text/html; charset=utf-8' }, pageHeaders(scriptHash))
}

/**
 * No script but the one in the page, no connection but to this origin, no frame around it. Styles must be free: the Monaco editor
 * writes them as it goes. Its workers are blobs that the page makes of its own text.
 */
function pageHeaders(scriptHash: ExplorerPage['scriptHash']): string[] {
  const policy = [
    "default-src 'none'",
    `script-src 'sha256-${scriptHash}'`,
    "style-src 'unsafe-inline'",
    'img-src data:',
    'font-src data:',
    'worker-src blob:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ]
  return [
    ...['Content-Security-Policy', policy.join('; ')],
    ...['X-Content-Type-Options', 'nosniff'],
    ...['X-Frame-Options', 'DENY'],
    ...['Referrer-Policy', 'no-referrer'],
    ...['Cross-Origin-Opener-Policy', 'same-origin'],
    ...['Cache-Control', 'no-cache'],
    ...['Vary', 'Accept-Encoding, Sec-Fetch-Mode'],
  ]
}
