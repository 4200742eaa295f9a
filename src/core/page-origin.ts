import { type Exchange, Slot } from './exchange.ts'

/** Set by what the configuration allows pages of another origin: to make this request, with the cookies that go along by themselves. */
export const allowedPage: Slot<true> = new Slot('allowedPage')

/** Whether a browser says that the page behind a request is of this origin: by `Sec-Fetch-Site`, which no page can set, else by `Origin`. */
export function isOwnPage(x: Exchange): boolean {
  const site = x.header('sec-fetch-site')
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  const origin = x.header('origin')
  return origin !== undefined && isOwn(origin, x)
}

/** TLS may end in front of the gateway; a page by TLS is at least as trustworthy as one without. */
function isOwn(origin: string, { request }: Exchange): boolean {
  const host = request.host.toLowerCase()
  return origin === `${request.scheme}://${host}` || origin === `https://${host}`
}
