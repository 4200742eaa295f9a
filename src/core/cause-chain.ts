/** The messages of an error's causes, outermost first. A SyntaxError by its name only: V8 quotes the text that it could not parse. */
export function causeChain(error: Error): string | undefined {
  const messages: string[] = []
  let cause = error.cause
  for (let depth = 0; cause !== undefined && depth < 4; depth++) {
    if (cause instanceof Error) messages.push(cause instanceof SyntaxError ? cause.name : cause.message)
    else messages.push(typeof cause === 'string' ? cause : typeof cause)
    cause = cause instanceof Error ? cause.cause : undefined
  }
  return messages.length === 0 ? undefined : messages.join(': ')
}
