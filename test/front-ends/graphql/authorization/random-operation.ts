import type { Dice } from './dice.ts'
import { objectNames, type SchemaPlan } from './random-schema.ts'

export interface RandomOperation {
  readonly query: string
  readonly variables: Readonly<Record<string, boolean>>
}

/** A valid query with aliases, fragments of both kinds, `@include` and `@skip`. */
export function randomOperation(plan: SchemaPlan, dice: Dice): RandomOperation {
  const writer = new Writer(plan, dice)
  const selections = writer.selections('Query', 4)
  const fragments = writer.fragments.join('\n')
  return {
    query: `query($t: Boolean! = true, $f: Boolean!, $g: Boolean!) { ${selections} always: __typename
      ... @include(if: $t) { x: __typename } ... @include(if: $f) { y: __typename } ... @skip(if: $g) { z: __typename } }\n${fragments}`,
    variables: { f: dice.chance(0.5), g: dice.chance(0.5) },
  }
}

class Writer {
  readonly fragments: string[] = []
  readonly #plan: SchemaPlan
  readonly #dice: Dice
  /** One or the other: Apollo's planner forgets fetches beside a conditional field with `@requires`, whoever asks. */
  readonly #has: 'requires' | 'conditions'

  constructor(plan: SchemaPlan, dice: Dice) {
    this.#plan = plan
    this.#dice = dice
    this.#has = dice.pick(['requires', 'conditions'])
  }

  /** Never empty. */
  selections(type: string, depth: number, isNarrow = false): string {
    const dice = this.#dice
    const written = Array.from({ length: 1 + dice.below(4) }, () => this.#selection(type, depth, isNarrow))
    return written.filter((one) => one !== '').join(' ') || '__typename'
  }

  #selection(type: string, depth: number, isNarrow: boolean): string {
    const dice = this.#dice
    const isAbstract = type === 'I' || type === 'U'
    if (depth > 0 && dice.chance(isAbstract ? 0.7 : 0.25)) return this.#fragment(type, depth, isNarrow)
    if (dice.chance(0.1)) return '__typename'
    if (type === 'U') return ''
    if (type === 'I') return `${dice.pick(['common', 'id', 'i: common'])} ${this.#when()}`
    const all = this.#plan.types.find(({ name }) => name === type)?.fields ?? []
    const fields = this.#has === 'requires' ? all : all.filter(({ requires }) => requires === undefined)
    const { name, type: shape } = dice.pick(fields)
    const named = shape.replace(/[[\]!]/g, '')
    const isLeaf = ['String', 'E', 'ID'].includes(named)
    if (!isLeaf && depth === 0) return ''
    // One key means one field of one type, so that selections of one key always merge.
    const shared = name === 'common' || name === 'id'
    const key = shared && dice.chance(0.7) ? '' : `${type}_${name}${dice.pick(['', '', '_2'])}:`
    // Of an object of which nothing is included, Apollo's planner may not ask whether it is there.
    const always = this.#has === 'conditions' ? 'always: __typename' : ''
    const below = isLeaf ? '' : `{ ${this.selections(named, depth - 1)} ${always} }`
    return `${key} ${name} ${this.#when()} ${below}`
  }

  /**
   * @param isNarrow whether this is within an abstract type's fragment on an object whose type is known: there Apollo Gateway does not ask
   *   for the type, and drops fragments on yet other types, whoever asks.
   */
  #fragment(type: string, depth: number, isNarrow: boolean): string {
    const dice = this.#dice
    const isAbstract = type === 'I' || type === 'U'
    const implementing = this.#plan.types.filter(({ implementsI }) => implementsI).map(({ name }) => name)
    const others = isAbstract
      ? ['I', 'U', ...(type === 'I' ? implementing : objectNames)]
      : implementing.includes(type)
        ? ['I', 'U']
        : []
    const on = dice.pick(isNarrow ? [type] : [type, ...others])
    const below = this.selections(on, depth - 1, isNarrow || (!isAbstract && on !== type))
    if (dice.chance(0.3)) {
      const name = `F${this.fragments.length}`
      this.fragments.push(`fragment ${name} on ${on} { ${below} }`)
      return `...${name} ${this.#when()}`
    }
    return `... ${on === type && dice.chance(0.5) ? '' : `on ${on}`} ${this.#when()} { ${below} }`
  }

  #when(): string {
    const dice = this.#dice
    if (this.#has === 'requires' || dice.chance(0.6)) return ''
    return `@${dice.pick(['include', 'skip'])}(if: ${dice.pick(['$t', '$f', '$g', 'true', 'false'])})`
  }
}
