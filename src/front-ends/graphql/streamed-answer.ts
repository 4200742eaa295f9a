/** The headers of an answer whose body comes bit by bit, flat. */
export function streamHeaders(contentType: string): string[] {
  return [
    ...['Content-Type', contentType],
    ...['Cache-Control', 'no-cache'],
    // Some proxies collect what they are not told to pass on at once.
    ...['X-Accel-Buffering', 'no'],
    ...['Vary', 'Accept'],
  ]
}

/** One part of a `multipart/mixed` answer, JSON text (RFC 2046 section 5.1). A boundary follows it, for clients that wait for one. */
export function jsonPart(text: string, boundary: string): string {
  return `\r\nContent-Type: application/json; charset=utf-8\r\n\r\n${text}\r\n--${boundary}`
}
