import { isRecord } from '../../core/is-record.ts'
/** One HTTP binding of a method, as a `google.api.HttpRule` writes it. Source: `google/api/http.proto`. */
export interface HttpBinding {
  /** Upper case for the five verbs; a custom kind as it was written; `*` for every method. */
  readonly verb: string
  /** Path template, as written. */
  readonly template: string
  /** `*`, the name of a field, or `''` for no body. */
  readonly body: string
  /** The field of the answer that is sent, or `''` for the whole. */
  readonly responseBody: string
}

/**
 * The bindings of a rule whose fields are in snake case: its own one first, then its additional ones. Empty when there is no
 * annotation. Throws an Error that begins with `origin` for a rule that http.proto does not allow.
 */
export function readHttpRule(rule: unknown, origin: string): readonly HttpBinding[] {
  if (!isRecord(rule)) return []
  const given = rule.additional_bindings ?? []
  const additional: readonly unknown[] = Array.isArray(given) ? given : [given]
  if (additional.some((one) => isRecord(one) && one.additional_bindings !== undefined)) {
    throw new Error(`${origin}: an additional binding of google.api.http has additional ones of its own`)
  }
  return [rule, ...additional].map((one) => readBinding(one, origin))
}

const verbs = ['get', 'put', 'post', 'delete', 'patch'] as const

function readBinding(rule: unknown, origin: string): HttpBinding {
  if (!isRecord(rule)) throw new Error(`${origin}: an additional binding of google.api.http is no message`)
  const patterns = verbs.filter((verb) => rule[verb] !== undefined)
  const { custom } = rule
  if (patterns.length + (custom === undefined ? 0 : 1) !== 1) {
    throw new Error(`${origin}: google.api.http needs exactly one of ${verbs.join(', ')}, custom`)
  }
  const [verb] = patterns
  const template = verb === undefined ? (isRecord(custom) ? custom.path : undefined) : rule[verb]
  const kind = verb === undefined ? (isRecord(custom) ? custom.kind : undefined) : verb.toUpperCase()
  if (typeof template !== 'string' || typeof kind !== 'string') {
    throw new Error(`${origin}: google.api.http has a pattern without a path`)
  }
  return { verb: kind, template, body: text(rule.body), responseBody: text(rule.response_body) }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
