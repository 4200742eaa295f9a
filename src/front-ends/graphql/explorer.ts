import { GatewayError } from '../../core/error.ts'
import type { HttpExchange } from '../../core/http-exchange.ts'
import { pageHeaders } from '../../core/page-headers.ts'
import { sendFile } from '../../core/sent-file.ts'
import { type ExplorerPage, explorerPage } from './explorer-page.ts'
import { accepts } from './media-type.ts'

/** Answers a browser's navigation with the GraphiQL page, which runs its operations against the same URL. */
export async function serveExplorer(x: HttpExchange): Promise<void> {
  if (!accepts(x.header('accept'), 'text/html')) {
    throw new GatewayError('NOT_ACCEPTABLE', 'A navigation is answered with an HTML page only.')
  }
  const { html: plain, scriptHash, ...page } = await explorerPage()
  const headers = pageHeaders(policyOf(scriptHash), ['Sec-Fetch-Mode'])
  sendFile(x, { ...page, plain, contentType: 'text/html; charset=utf-8' }, headers)
}

/** No script but the one in the page. Styles must be free: the Monaco editor writes them as it goes. Its workers are blobs that the page makes of its own text. */
function policyOf(scriptHash: ExplorerPage['scriptHash']): readonly string[] {
  return [
    `script-src 'sha256-${scriptHash}'`,
    "style-src 'unsafe-inline'",
    'img-src data:',
    'font-src data:',
    'worker-src blob:',
  ]
}
