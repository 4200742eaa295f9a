import { reasons } from './core/reason.ts'
import { grpcNumbers, type ReasonEntry } from './core/reason-entry.ts'

/** docs/errors.md: every reason that the gateway itself answers with, written from the one table in core/reason.ts. */
export function errorReference(): string {
  const lines = [
    '# Errors',
    '',
    'Written from `src/core/reason.ts` by `npm run reference`; do not edit.',
    '',
    'Each front-end answers in its own words, from one table:',
    '',
    '- **REST**: `application/problem+json` (RFC 9457) with `type` (`urn:trivium:error:REASON`), `title`, `status`, `detail`, `instance`, `code`,',
    '  `reason`, `requestId`, `traceId`, and where they apply `retryAfter` (seconds) and `errors` (`[{field, detail}]`).',
    '- **GraphQL**: `errors[].extensions` with `code` (the word Apollo users know), `reason`, `number`, `requestId`, `traceId`.',
    '- **gRPC routes**: `google.rpc.Status` in JSON with a `google.rpc.ErrorInfo` that carries the reason, and `BadRequest` or `RetryInfo` where',
    '  they apply. What a backend itself answers is passed on with its own details.',
    '',
    'Branch on `reason`: it is stable. `detail` and `message` are for people. Headers that go with them: `Retry-After`, `Allow`, `WWW-Authenticate`,',
    '`RateLimit`, and `Proxy-Status` (RFC 9209) on every answer that the gateway made itself. A request that broke off after its answer had begun',
    'is cut visibly (the connection ends before the message does) and stands in the log with its reason.',
    '',
    '| number | reason | HTTP | gRPC | Proxy-Status error | meaning |',
    '|---|---|---|---|---|---|',
  ]
  for (const [reason, entry] of Object.entries<ReasonEntry>(reasons)) {
    const { number, status, code, proxyStatus = '', title } = entry
    lines.push(
      `| ${number} | \`${reason}\` | ${status} | ${code} (${grpcNumbers[code]}) | ${proxyStatus} | ${title} |`,
    )
  }
  return `${lines.join('\n')}\n`
}
