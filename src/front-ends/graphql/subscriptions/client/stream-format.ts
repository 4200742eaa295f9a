import { essence } from '../../../../core/media-type.ts'
import { weightOf } from '../../media-type.ts'

/** How the results of a subscription are written into one HTTP answer. */
export type StreamFormat = 'events' | 'multipart'

/**
 * What the client wants most of server-sent events and multipart; undefined: it names neither. `*` names none: whoever takes everything does not
 * expect an answer without an end.
 */
export function streamFormat(accept: string | undefined): StreamFormat | undefined {
  let chosen: StreamFormat | undefined
  let most = 0
  for (const item of (accept ?? '').split(',', 32)) {
    const format = formats[essence(item)]
    if (format === undefined) continue
    const weight = weightOf(item)
    if (weight <= most) continue
    chosen = format
    most = weight
  }
  return chosen
}

const formats: Readonly<Record<string, StreamFormat | undefined>> = {
  'text/event-stream': 'events',
  'multipart/mixed': 'multipart',
}
