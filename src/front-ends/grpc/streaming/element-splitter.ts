/** Cuts the body of a request into the elements of a stream while it comes. Never holds more than one element. */
export interface ElementSplitter {
  /**
   * The elements that are complete with this piece; each is to be used before the next one is asked for. Throws INVALID_BODY, and
   * BODY_TOO_LARGE for an element above the limit, as soon as that is known.
   */
  push(piece: Buffer): Iterable<Buffer>
  /** The last element, if the end of the body is what completes it. Throws INVALID_BODY when the body is not whole. */
  finish(): Buffer | undefined
}
