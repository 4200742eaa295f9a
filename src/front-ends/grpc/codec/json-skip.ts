import { scanNumber } from './json-number.ts'
import type { JsonReader } from './json-reader.ts'
import { skipString } from './json-string.ts'

/** Passes over a value of any kind, which has to be JSON all the same. */
export function skipValue(j: JsonReader): void {
  switch (j.bytes[j.pos]) {
    case 0x22:
      skipString(j)
      return
    case 0x7b:
      for (let more = j.firstMember(); more; more = j.nextMember()) {
        skipString(j)
        j.colon()
        skipValue(j)
      }
      return
    case 0x5b:
      for (let more = j.firstItem(); more; more = j.nextItem()) skipValue(j)
      return
    case 0x74:
    case 0x66:
      j.bool()
      return
    case 0x6e:
      j.null()
      return
    default:
      if (!scanNumber(j)) throw j.expected('a value')
  }
}

/** A member that is no field of its message: refused, or passed over. Stands at its value. */
export function unknownMember(j: JsonReader): void {
  const { source, from, to } = j
  if (j.depth === j.anyDepth && source.toString('latin1', from, to) === '@type') skipString(j)
  else if (j.ignoreUnknown) skipValue(j)
  else throw j.wrong(j.pos, 'there is no such field')
}
