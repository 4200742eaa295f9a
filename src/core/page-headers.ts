/**
 * What is sent with an HTML page of the gateway's own, flat: it runs what `policy` allows (directives of a Content-Security-Policy) and asks this
 * origin, and nothing else; no frame is around it. Browsers ask again whether it is still the same.
 *
 * @param vary what its answers differ by, beside the coding.
 */
export function pageHeaders(policy: readonly string[], vary: readonly string[] = []): readonly string[] {
  const whole = ["default-src 'none'", ...policy, ...alwaysSaid]
  return [
    ...['Content-Security-Policy', whole.join('; ')],
    ...['X-Content-Type-Options', 'nosniff'],
    ...['X-Frame-Options', 'DENY'],
    ...['Referrer-Policy', 'no-referrer'],
    ...['Cross-Origin-Opener-Policy', 'same-origin'],
    ...['Cache-Control', 'no-cache'],
    ...['Vary', ['Accept-Encoding', ...vary].join(', ')],
  ]
}

const alwaysSaid = ["connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]
