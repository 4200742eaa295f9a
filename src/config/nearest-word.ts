/** To compare longer words takes too long. */
const maxLetters = 256
/** Of the words that are known. */
const maxListed = 100

/**
 * The known word that `word` was most likely meant to be: at most a third of its letters wrong (two that changed places count as
 * one), or a longer one that begins with it; undefined when none is near.
 */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  const written = word.toLowerCase()
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1
  for (const candidate of known) {
    // No word is nearer than their lengths are.
    if (Math.abs(candidate.length - written.length) >= bestDistance || written.length > maxLetters) continue
    const distance = editDistance(written, candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best ?? known.find((candidate) => written.length > 2 && candidate.toLowerCase().startsWith(written))
}

/** What to tell of a word that is not known: the nearest one, else all that there are. */
export function wordHint(word: string, known: readonly string[]): string {
  const nearest = nearestWord(word, known)
  if (nearest !== undefined) return `; did you mean "${nearest}"?`
  if (known.length === 0) return ''
  return `; known: ${known.slice(0, maxListed).join(', ')}${known.length > maxListed ? ', ...' : ''}`
}

/** Levenshtein distance, with the exchange of two neighbours as one step (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const substituted = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const steps = [substituted, (last[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1]
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        steps.push((beforeLast[j - 2] ?? 0) + 1)
      current.push(Math.min(...steps))
    }
    beforeLast = last
    last = current
  }
  return last[b.length] ?? 0
}
