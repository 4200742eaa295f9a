import type { DescMethod, Registry } from '@bufbuild/protobuf'
import { GatewayError } from '../../../core/error.ts'
import { tooLarge } from '../../../core/request-body.ts'
import { compileCodec } from '../codec/codec.ts'
import type { JsonOptions } from '../front-end.ts'
import type { ConnectFormat } from './connect-format.ts'

/** Turns the messages of one method into what its backend takes, and back into what the client does. */
export interface ConnectCodec {
  /** Throws like {@link MessageCodec.fromJson}, and BODY_TOO_LARGE. */
  request(bytes: Buffer, format: ConnectFormat): Uint8Array
  /** Throws UPSTREAM_BAD_ANSWER for bytes that are no such message. */
  reply(bytes: Uint8Array, format: ConnectFormat): string | Uint8Array
}

export interface ConnectCodecOptions {
  readonly json: JsonOptions
  readonly registry: Registry
  readonly messageBytes: number
}

/** Messages of `proto` pass as they are. */
export function connectCodec({ input, output }: DescMethod, options: ConnectCodecOptions): ConnectCodec {
  const { messageBytes, registry, json } = options
  const reader = compileCodec(input, { ...json, registry })
  const writer = compileCodec(output, { ...json, registry })
  return {
    request(bytes, { codec }) {
      if (codec === 'proto') return bytes
      const message = reader.fromJson(bytes)
      if (message.length > messageBytes) throw tooLarge(messageBytes)
      return message
    },
    reply(bytes, { codec }) {
      if (codec === 'proto') return bytes
      try {
        return writer.toJson(bytes)
      } catch (cause) {
        const message = `The answer of the upstream is no ${output.typeName}.`
        throw new GatewayError('UPSTREAM_BAD_ANSWER', message, { cause })
      }
    },
  }
}
