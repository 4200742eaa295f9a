/** The media type of a `Content-Type` without its parameters, in lower case. */
export function essence(contentType: string): string {
  return (contentType.split(';', 1)[0] ?? '').trim().toLowerCase()
}

/** Whether a media type is JSON, by name or by suffix (RFC 6839 section 3.1). */
export function isJsonType(type: string): boolean {
  return type === 'application/json' || type.endsWith('+json')
}
