import dns, { type LookupAddress, type LookupOptions } from 'node:dns'
import type { LookupFunction } from 'node:net'

type Found = Parameters<LookupFunction>[2]

/**
 * Finds the addresses of one target's name, anew for each connection, and one after the other when there are several. While the resolver
 * has no answer, the addresses that were found last are taken.
 */
export class NameLookup {
  #last: readonly LookupAddress[] = []
  /** Those who wait for the lookup that is under way: a resolver that hangs holds one thread, not one for each connection. */
  #waiting: Found[] = []
  #turn = 0

  /** In the shape that `net.connect` takes. */
  readonly lookup: LookupFunction = (name, options, found) => {
    const answer = once(options.all === true ? found : oneOf(found))
    if (this.#last.length > 0) {
      const timer = setTimeout(() => answer(null, this.#inTurn()), patienceMs)
      this.#ask(name, options, (error, addresses) => {
        clearTimeout(timer)
        answer(error, addresses)
      })
    } else this.#ask(name, options, answer)
  }

  #ask(name: string, { family, hints }: LookupOptions, found: Found): void {
    this.#waiting.push(found)
    if (this.#waiting.length > 1) return
    dns.lookup(
      name,
      { all: true, ...(family && { family }), ...(hints && { hints }) },
      (error, addresses) => {
        const waiting = this.#waiting
        this.#waiting = []
        const unknown = error !== null && (error.code !== 'EAI_AGAIN' || this.#last.length === 0)
        if (error === null) this.#last = addresses
        for (const tell of waiting) tell(unknown ? error : null, unknown ? [] : this.#inTurn())
      },
    )
  }

  /** The resolver's preference for a family stays; its addresses take turns at being tried first. */
  #inTurn(): LookupAddress[] {
    const preferred = this.#last[0]?.family
    const first = this.#last.filter(({ family }) => family === preferred)
    const others = this.#last.filter(({ family }) => family !== preferred)
    const start = this.#turn++ % Math.max(1, first.length)
    return [...first.slice(start), ...first.slice(0, start), ...others]
  }
}

/** After so long without an answer the last addresses are taken; a resolver itself gives up after several seconds. */
const patienceMs = 500

function once(found: Found): Found {
  let told = false
  return (error, addresses) => {
    if (told) return
    told = true
    found(error, addresses)
  }
}

/** For callers that want one address. */
function oneOf(found: Found): Found {
  return (error, addresses) => {
    const [first] = addresses as LookupAddress[]
    found(error, first?.address ?? '', first?.family)
  }
}
