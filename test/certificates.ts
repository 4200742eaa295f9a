import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate and its key in PEM. */
export interface Issued {
  readonly cert: string
  readonly key: string
}

/** A certificate authority of one's own, made with the `openssl` command. */
export interface Authority extends Issued {
  /** A certificate for these names (`localhost`, `*.example`, `IP:127.0.0.1`, `URI:spiffe://a`, `email:a@b.example`), for 30 days or so many. */
  issue(names: readonly string[], options?: { readonly days?: number; readonly subject?: string }): Issued
}

/** Makes an authority; the name tells two of them apart. */
export function makeAuthority(name = 'test authority'): Authority {
  const own = request({ subject: `/CN=${name}`, days: 30, extensions: ['basicConstraints=critical,CA:TRUE'] })
  return {
    ...own,
    issue: (names, { days = 30, subject = `/O=Shop/CN=${names[0]}` } = {}) => {
      const alternatives = names.map((one) => (kinds.test(one) ? one : `DNS:${one}`)).join(',')
      return request({ subject, days, extensions: [`subjectAltName=${alternatives}`], by: own })
    },
  }
}

const kinds = /^(?:IP|URI|email):/

interface Wanted {
  readonly subject: string
  readonly days: number
  readonly extensions: readonly string[]
  readonly by?: Issued
}

function request({ subject, days, extensions, by }: Wanted): Issued {
  const folder = mkdtempSync(join(tmpdir(), 'trivium-certificate-'))
  const at = (name: string): string => join(folder, name)
  try {
    writeFileSync(at('config'), '[req]\ndistinguished_name = dn\n[dn]\n')
    const issuer = by === undefined ? [] : ['-CA', at('ca.pem'), '-CAkey', at('ca.key')]
    if (by !== undefined) {
      writeFileSync(at('ca.pem'), by.cert)
      writeFileSync(at('ca.key'), by.key)
    }
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', at('key')]
    const what = ['-subj', subject, '-days', String(days), ...extensions.flatMap((one) => ['-addext', one])]
    execFileSync(
      'openssl',
      ['req', '-x509', '-config', at('config'), ...key, ...what, ...issuer, '-out', at('cert')],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    )
    return { cert: readFileSync(at('cert'), 'utf8'), key: readFileSync(at('key'), 'utf8') }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
