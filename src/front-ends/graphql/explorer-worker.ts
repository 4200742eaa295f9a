import { createHash } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import { gzipSync } from 'node:zlib'
import { renderGraphiQL } from '@graphql-yoga/render-graphiql'
import { contentTag } from '../../core/content-tag.ts'

// The thread that `explorer-page.ts` starts. Browsers normalise line ends before they hash a script.
// Keys and tokens that somebody types into the headers editor are gone with the tab: local storage is for every script of this origin, and for ever.
const options = { title: 'Trivium: GraphQL', shouldPersistHeaders: false }
const text = renderGraphiQL(options).trim().replace(/\r\n?/g, '\n')
const start = text.indexOf('<script>') + '<script>'.length
const script = text.slice(start, text.lastIndexOf('</script>'))
const html = new Uint8Array(new TextEncoder().encode(text))
const gzipped = new Uint8Array(gzipSync(html, { level: 9 }))
const tag = contentTag(html)
const scriptHash = createHash('sha256').update(script).digest('base64')
parentPort?.postMessage({ html, gzipped, tag, scriptHash }, [html.buffer, gzipped.buffer])
