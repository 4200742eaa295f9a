import { hostname } from 'node:os'

/** By which people tell the gateways of a cluster apart, two on one host too: `gw-1/4711`, host and process. */
export function nodeName(): string {
  return `${hostname()}/${process.pid}`
}
