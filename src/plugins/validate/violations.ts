import type { ErrorObject } from 'ajv/dist/2020.js'

const maxFieldLength = 200
const maxAllowedLength = 200

/** Where it is: a JSON pointer (RFC 6901) behind `at`, down to a member that is too many or that has the wrong name. */
export function pointerTo({ instancePath, keyword, params }: ErrorObject, at: string): string {
  const extra: unknown =
    keyword === 'additionalProperties'
      ? params.additionalProperty
      : keyword === 'unevaluatedProperties'
        ? params.unevaluatedProperty
        : undefined
  const last = typeof extra === 'string' ? `/${extra.replaceAll('~', '~0').replaceAll('/', '~1')}` : ''
  const pointer = `${at}${instancePath}${last}`
  return pointer.length > maxFieldLength ? `${pointer.slice(0, maxFieldLength)}...` : pointer
}

/** What is wrong, in words; never the value itself, which may be a secret. */
export function said({ keyword, message = 'is not valid', params }: ErrorObject): string {
  if (keyword === 'false schema') return 'must not be there'
  if (keyword === 'additionalProperties' || keyword === 'unevaluatedProperties') return 'is not known here'
  if (keyword === 'enum') return `must be one of ${listed(params.allowedValues)}`
  if (keyword === 'const') return `must be ${listed([params.allowedValue])}`
  return message
}

function listed(values: unknown): string {
  const text = Array.isArray(values) ? values.map((value) => JSON.stringify(value)).join(', ') : ''
  return text.length > maxAllowedLength ? `${text.slice(0, maxAllowedLength)}...` : text
}
