import { composedValue } from '../../../core/composed-value.ts'
import { type Exchange, Slot } from '../../../core/exchange.ts'
import { scalarText, valueAt } from '../../../core/json-value.ts'
import type { PathVariable, Place, ValueName, ValueReader } from '../../../core/text-template.ts'

/** What there is of an answer that is being put together: the texts of the calls to come name it. */
export class Composition {
  /** The JSON of the request; undefined: it has no body. */
  body: unknown
  /** The answers that are there, by the names of their parts. */
  readonly parts = new Map<string, unknown>()
}

/** Where the composition of an exchange is kept. */
export const compositionSlot = new Slot<Composition>('composition')

/** What texts name in a route whose answer is put together: besides the values of the route, the body and what parts answered. */
export class ComposedPlace implements Place {
  readonly protocol = 'rest'
  readonly credentialHeaders: ReadonlySet<string>
  /** Whether a text names something in the body, so that it must be read. */
  namesBody = false
  readonly #place: Place
  readonly #awaited: ReadonlySet<string>

  /** `awaited`: parts whose answers are there when the texts are made. */
  constructor(place: Place, awaited: ReadonlySet<string> = new Set()) {
    this.#place = place
    this.#awaited = awaited
    this.credentialHeaders = place.credentialHeaders
  }

  variable(name: string): PathVariable | undefined {
    return this.#place.variable(name)
  }

  own(name: ValueName): ValueReader | undefined {
    const value = composedValue(name)
    if (value === undefined) return undefined
    const { way } = value
    if (value.kind === 'body') {
      this.namesBody = true
      return reader((composition) => valueAt(composition?.body, way))
    }
    const { part } = value
    if (!this.#awaited.has(part))
      throw new Error(`the answer of "${part}" is not there yet: name it in dependsOn`)
    return reader((composition) => valueAt(composition?.parts.get(part), way))
  }
}

function reader(find: (composition: Composition | undefined) => unknown): ValueReader {
  const json = (x: Exchange): unknown => find(x.get(compositionSlot))
  return { json, read: (x) => scalarText(json(x)) }
}
