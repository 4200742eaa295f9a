import { randomBytes } from 'node:crypto'
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { SignJWT } from 'jose'
import { messageOf } from '../src/core/message-of.ts'
import { hashPassword, writePasswordHash } from '../src/issuer/password-hash.ts'
import { createApiKey, hashApiKey } from '../src/plugins/identity/api-key.ts'
import { type DemoBackends, startDemoBackends } from './demo/backends.ts'
import { type DemoProcess, startProcess } from './demo/processes.ts'
import { type Credentials, curlLine, demoSamples, type Sample } from './demo/samples.ts'

/**
 * `npm run demo`: the gateway with all of its demo backends, credentials made for this run, and curl lines to paste. Ctrl-C ends everything; a
 * child that dies, a taken port or a configuration that is refused ends it with one line and code 1.
 */
const root = resolve(import.meta.dirname, '..')

try {
  await demo()
} catch (error) {
  console.error(`demo: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}

async function demo(): Promise<void> {
  const port = portOf(process.argv.slice(2))
  const children: DemoProcess[] = []
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
  try {
    const { credentials, environment } = await makeCredentials()
    const backends = await startDemoBackends()
    children.push(...backends.processes)
    const gateway = await startGateway(port, { ...environment, ...backends.environment })
    children.unshift(gateway)
    const samples = demoSamples(gateway.url, credentials)
    await useUpTrialKey(samples)
    writeDemoFile(gateway.url, credentials, samples)
    printDemo(gateway.url, backends, { credentials, samples })
    const died = Promise.race(children.map(async ({ name, ended }) => `${name} died: ${await ended}`))
    const death = await Promise.race([interrupted, died])
    if (typeof death === 'string') throw new Error(death)
    console.log('\nending the gateway and its backends ...')
  } finally {
    for (const child of children) await child.stop()
  }
}

/** Throws an Error that says how it is used. */
function portOf(argv: string[]): string {
  try {
    return parseArgs({ args: argv, options: { port: { type: 'string', default: '8080' } } }).values.port
  } catch (error) {
    throw new Error(`usage: npm run demo [-- --port N]; ${messageOf(error)}`)
  }
}

async function makeCredentials(): Promise<{ credentials: Credentials; environment: Record<string, string> }> {
  const apiKey = createApiKey('demo')
  const trialKey = createApiKey('demo')
  const password = randomBytes(12).toString('base64url')
  const secret = randomBytes(32).toString('hex')
  const jwt = await new SignJWT({ name: 'Ada Lovelace', roles: ['reader'] })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject('42')
    .setIssuer('https://demo.trivium.example')
    .setAudience('trivium-demo')
    .setIssuedAt()
    .setExpirationTime('12h')
    .sign(new TextEncoder().encode(secret))
  return {
    credentials: { apiKey, jwt, trialKey, password },
    environment: {
      DEMO_KEY_HASH: hashApiKey(apiKey),
      TRIAL_KEY_HASH: hashApiKey(trialKey),
      JWT_SECRET: secret,
      DEMO_PASSWORD_HASH: writePasswordHash(await hashPassword(password)),
    },
  }
}

async function startGateway(port: string, environment: Record<string, string>): Promise<DemoProcess> {
  mkdirSync(`${root}/data`, { recursive: true })
  const log = createWriteStream(`${root}/data/demo.log`)
  const gateway = await startProcess({
    script: 'src/main.ts',
    args: ['start', '--config', `${root}/gateway.yaml`, '--port', port],
    // A database of its own: what is tried here does not mix with the versions and keys of another configuration in this folder.
    env: {
      ...environment,
      DATABASE_URL: process.env.DATABASE_URL ?? 'sqlite:./data/demo.db',
      DRAIN_DELAY: '0s',
      LOG_LEVEL: 'info',
    },
    onLine: (line) => log.write(`${line}\n`),
  })
  return { ...gateway, name: 'gateway' }
}

/** One request per limit: the trial key has one a day. */
async function useUpTrialKey(samples: readonly Sample[]): Promise<void> {
  for (const { method, url, headers, body, expectStatus } of samples) {
    if (expectStatus === 429) await (await fetch(url, { method, headers, body })).text()
  }
}

function writeDemoFile(url: string, credentials: Credentials, samples: readonly Sample[]): void {
  const { apiKey, jwt, password } = credentials
  const written = JSON.stringify({ url, apiKey, jwt, password, samples }, null, 2)
  writeFileSync(`${root}/data/demo.json`, `${written}\n`)
}

function printDemo(
  url: string,
  backends: DemoBackends,
  { credentials, samples }: { credentials: Credentials; samples: readonly Sample[] },
): void {
  console.log(`\nTrivium listens on ${url}`)
  console.log(
    `  GraphQL explorer  ${url}/graphql   (open it in a browser; put the X-API-Key into its headers)`,
  )
  console.log(`  API documentation ${url}/docs   (Swagger UI of everything that is served)`)
  console.log(`  health, metrics   ${url}/health  ${url}/readyz?verbose  ${url}/metrics`)
  console.log('\nBackends')
  for (const { name, url: at } of backends.processes) console.log(`  ${name.padEnd(12)} ${at}`)
  const { apiKey, jwt, password } = credentials
  console.log(
    `\nCredentials of this run\n  API key  ${apiKey}\n  JWT      ${jwt}\n  user     ada, password ${password}`,
  )
  console.log('\nTry')
  for (const sample of samples)
    console.log(`\n# ${sample.name} -> ${sample.expectStatus}\n${curlLine(sample)}`)
  console.log(
    '\nThe same is in data/demo.json, the log of the gateway in data/demo.log. Ctrl-C ends everything.',
  )
}
