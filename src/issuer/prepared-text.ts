/** Longer ones are refused before anything is computed of them, in bytes of UTF-8. */
export const maxPasswordBytes = 1_024
/** In characters. */
export const maxUserNameLength = 256

/**
 * A password as it is hashed, so that it is the same from every keyboard: other spaces are blanks, characters are composed (the OpaqueString
 * profile of RFC 8265 section 4.2; nothing else is changed). Undefined for what cannot be one: empty, too long, with control characters
 * or halves of characters.
 */
export function preparePassword(text: string): string | undefined {
  if (text === '' || text.length > maxPasswordBytes || Buffer.byteLength(text) > maxPasswordBytes)
    return undefined
  if (!text.isWellFormed() || /\p{Cc}/u.test(text)) return undefined
  return text.replace(/\p{Zs}/gu, ' ').normalize('NFC')
}

/**
 * The name of a user as names are compared: without regard to case and to the width of characters (the UsernameCaseMapped profile of RFC 8265
 * section 3.3). Undefined for what cannot be one: empty, too long, with control characters or halves of characters.
 */
export function prepareUserName(text: string): string | undefined {
  if (text === '' || text.length > maxUserNameLength) return undefined
  if (!text.isWellFormed() || /\p{Cc}/u.test(text)) return undefined
  const narrow = text.replace(/[\uff00-\uffef]/g, (character) => character.normalize('NFKC'))
  return narrow.normalize('NFC').toLowerCase().normalize('NFC')
}
