import { RE2JS } from 're2js'
import { messageOf } from '../../core/message-of.ts'

/**
 * A pattern of a schema (ECMA-262, found anywhere in the text), matched in time that grows with the text only: what a stranger sends
 * cannot make it go back over and over. Throws an Error for look-around and back references, which cannot be matched so.
 */
export function linearPattern(pattern: string): { test(text: string): boolean; toString(): string } {
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(pattern.replaceAll(/\\u([0-9a-fA-F]{4})/g, String.raw`\x{$1}`))
  } catch (error) {
    const reason = messageOf(error)
    throw new Error(
      `the pattern ${JSON.stringify(pattern)} cannot be matched in linear time: ${reason} (look-around and back references cannot)`,
    )
  }
  // ajv takes patterns of one text for the same.
  return { test: (text) => compiled.matcher(text).find(), toString: () => pattern }
}

/** How ajv would write it down; schemas are compiled in the process that uses them. */
linearPattern.code = 'linearPattern'
