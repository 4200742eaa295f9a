import { Metadata } from '@grpc/grpc-js'
import { isSendableName, sendableValue } from './sendable-metadata.ts'

/** Metadata as flat pairs, binary values in base64. */
export function flatMetadata(metadata: Metadata): string[] {
  const pairs: string[] = []
  for (const [name, values] of Object.entries(metadata.toHttp2Headers())) {
    for (const value of Array.isArray(values) ? values : [values]) pairs.push(name, String(value))
  }
  return pairs
}

/**
 * Flat pairs as metadata. grpc-js throws on what gRPC cannot carry and lets headers of the connection pass: names that are not
 * allowed and those of the wire itself are left out, characters beyond ASCII are percent-encoded.
 */
export function metadataFrom(pairs: readonly string[]): Metadata {
  const metadata = new Metadata()
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    const name = (pairs[i] as string).toLowerCase()
    const value = pairs[i + 1] as string
    if (!isSendableName(name)) continue
    if (name.endsWith('-bin')) metadata.add(name, Buffer.from(value, 'base64'))
    else metadata.add(name, sendableValue(value))
  }
  return metadata
}
