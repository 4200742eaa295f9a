import { GatewayError } from '../../../core/error.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'
import { parseJson } from '../../../core/json-value.ts'
import { readOff } from '../../../core/request-body.ts'
import { readJsonText } from '../../json-body.ts'
import { Composition, compositionSlot } from './composition.ts'

/** Begins a composition with the JSON of the request, where texts name it. Rejects like `readJsonText`, and with INVALID_BODY. */
export async function beginComposition(
  x: HttpExchange,
  { namesBody, maxBodyBytes }: { readonly namesBody: boolean; readonly maxBodyBytes: number },
): Promise<Composition> {
  const composition = new Composition()
  x.set(compositionSlot, composition)
  if (!x.hasBody) return composition
  if (namesBody) composition.body = parse(await readJsonText(x, maxBodyBytes))
  else await readOff(x)
  return composition
}

function parse(text: string): unknown {
  try {
    return parseJson(text)
  } catch (cause) {
    throw new GatewayError('INVALID_BODY', 'The body is not valid JSON of at most 100 levels.', { cause })
  }
}
