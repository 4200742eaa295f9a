import { Agent, createServer } from 'node:http'
import { createProxyServer } from 'http-proxy'

// http-proxy as its documentation shows it, with kept connections and nothing else: from PORT to the origin given as argument.

const proxy = createProxyServer({ target: process.argv[2] ?? '', agent: new Agent({ keepAlive: true }) })
proxy.on('error', (error) => {
  throw error
})
createServer((req, res) => proxy.web(req, res)).listen(Number(process.env.PORT), '127.0.0.1')
