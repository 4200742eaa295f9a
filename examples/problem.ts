/** A refusal that a handler throws and that is answered as `application/problem+json` (RFC 9457). */
export class Problem extends Error {
  /** HTTP status, 400 to 599. */
  readonly status: number
  /** Members beside `title`, `status` and `detail`, and headers for the answer, such as `Allow`. */
  readonly more: { readonly members?: object; readonly headers?: Readonly<Record<string, string>> }

  constructor(status: number, detail: string, more: Problem['more'] = {}) {
    super(detail)
    this.name = 'Problem'
    this.status = status
    this.more = more
  }
}

/** One field that is wrong, by its JSON Pointer (RFC 6901). */
export interface FieldError {
  readonly pointer: string
  readonly detail: string
}

/** The refusal of a body whose JSON is well-formed but whose fields are not: 422 with an `errors` member. */
export function invalidFields(errors: readonly FieldError[]): Problem {
  return new Problem(422, 'The body has invalid fields.', { members: { errors } })
}

/** The refusal of a method that a path does not have: 405 with `Allow`. */
export function methodNotAllowed(allow: string): Problem {
  return new Problem(405, `This path allows ${allow}.`, { headers: { allow } })
}
