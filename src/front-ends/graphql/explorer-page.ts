import { Worker } from 'node:worker_threads'

/** The explorer as it is sent: complete, so that the browser fetches nothing else. */
export interface ExplorerPage {
  readonly html: Buffer
  readonly gzipped: Buffer
  /** Strong entity tag without quotes. */
  readonly tag: string
  /** SHA-256 of the one inline script, in base64, for the Content-Security-Policy. */
  readonly scriptHash: string
}

/**
 * The GraphiQL page, rendered on first use and then kept: it depends on nothing that is configured. A thread of its own renders it,
 * because its 9 MB would hold up all other requests for a fifth of a second, and takes GraphiQL's sources with it when it ends.
 */
export function explorerPage(): Promise<ExplorerPage> {
  page ??= render().catch((error: unknown) => {
    page = undefined
    throw error
  })
  return page
}

let page: Promise<ExplorerPage> | undefined

function render(): Promise<ExplorerPage> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./explorer-worker.ts', import.meta.url))
    worker.once('message', ({ html, gzipped, tag, scriptHash }: ExplorerPage) =>
      resolve({ html: Buffer.from(html.buffer), gzipped: Buffer.from(gzipped.buffer), tag, scriptHash }),
    )
    worker.once('error', reject)
    worker.once('exit', () => reject(new Error('The explorer page was not rendered.')))
  })
}
