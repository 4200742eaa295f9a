import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../services/free-port.ts'
import { ownFolder } from '../services/own-process.ts'
import { ensureProgram } from '../services/programs.ts'

// Two gateways as processes, replaced as docker-compose or systemd would: ended by SIGTERM, and started again with what is the version here, a
// configuration. What Kubernetes does is played by a script, as there is no cluster: how the API server answers is not what is tested.
const root = resolve(import.meta.dirname, '../..')
const nodes = ['one', 'two'] as const
const ports: Record<string, number> = {}
let folder = ''
let clients = true
let load: Promise<unknown> = Promise.resolve()

const versions: Readonly<Record<string, string>> = {
  first: `routes: [{id: r, path: /, respond: {json: first}, auth: none}]`,
  second: `routes: [{id: r, path: /, respond: {json: second}, auth: none}]`,
  failing: `upstreams: {a: {targets: [{url: "http://127.0.0.1:1"}]}}
routes: [{id: r, path: /, upstream: a, auth: none}]`,
  invalid: `routes: [{id: r, path: /, upstream: nowhere}]`,
}
const common = `
plugins: [metrics]
server: {listen: "127.0.0.1:0", overload: {eventLoopDelay: 0s}, shutdown: {drainDelay: 0s, gracePeriod: 2s}}
`

const replace = `#!/usr/bin/env bash
set -eu
cd "$FOLDER"
if [ $# = 1 ]; then cat "$1.version"; exit; fi
[ -e "$2.yaml" ] || { echo "there is no $2" >&2; exit 1; }
echo "$1 $2" >> replaced
if [ -e "$1.pid" ]; then
  pid=$(cat "$1.pid")
  kill -TERM "$pid" 2>/dev/null || true
  while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
fi
port=$(cat "$1.port")
"$NODE" "$MAIN" start "$2.yaml" --port "$port" >"$1.log" 2>&1 &
echo $! > "$1.pid"
echo "$2" > "$1.version"
`

const kubectl = `#!/usr/bin/env bash
set -eu
case "$*" in
  kustomize*) exec "$KUBECTL" "$@" ;;
  apply*) cat > "$FOLDER/applied.yaml" ;;
  *'rollout status'*) exit "$(cat "$FOLDER/status" 2>/dev/null || echo 0)" ;;
  *'rollout undo'*) rm -f "$FOLDER/status"; echo undone >> "$FOLDER/undone" ;;
  *'get pods'*) echo gateway-abc ;;
  'get --raw'*) exec curl --silent --fail "http://127.0.0.1:$(cat "$FOLDER/one.port")\${3#*/proxy}" ;;
esac
`

interface Outcome {
  readonly code: number | null
  readonly text: string
}

async function run(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const [program = '', ...words] = args
  const child = spawn(join(root, program), words, {
    env: {
      PATH: `${folder}/bin:${process.env.PATH}`,
      FOLDER: folder,
      NODE_COMPILE_CACHE: join(tmpdir(), 'trivium-compile-cache'),
      NODE: process.execPath,
      MAIN: join(root, 'src/main.ts'),
      NODES: nodes.map((node) => `${node}=http://127.0.0.1:${ports[node]}`).join(' '),
      REPLACE: join(folder, 'replace'),
      READY_SECONDS: '60',
      WATCH_SECONDS: '1',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += String(chunk)))
  await once(child, 'exit')
  return { code: child.exitCode, text }
}

const noted = (name: string): string =>
  existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : ''

async function answers(): Promise<unknown[]> {
  return Promise.all(nodes.map(async (node) => (await fetch(`http://127.0.0.1:${ports[node]}/`)).json()))
}

/** At another port when somebody was quicker to take the one that was free. */
async function startFirst(node: string): Promise<void> {
  ports[node] = await freePort()
  writeFileSync(join(folder, `${node}.port`), String(ports[node]))
  const child = spawn(join(folder, 'replace'), [node, 'first'], {
    env: { ...process.env, FOLDER: folder, NODE: process.execPath, MAIN: join(root, 'src/main.ts') },
    stdio: 'inherit',
  })
  await once(child, 'exit')
  while (!/"listening"|is taken by another process|gateway: |\.yaml:/.test(noted(`${node}.log`)))
    await delay(50)
  if (/is taken by another process/.test(noted(`${node}.log`))) await startFirst(node)
}

before(async () => {
  folder = await ownFolder('rollout')
  for (const [name, yaml] of Object.entries(versions)) {
    writeFileSync(join(folder, `${name}.yaml`), `${common}${yaml}\n`)
  }
  const scripts = { replace, 'bin/kubectl': kubectl }
  mkdirSync(join(folder, 'bin'))
  for (const [name, text] of Object.entries(scripts)) {
    writeFileSync(join(folder, name), text)
    chmodSync(join(folder, name), 0o755)
  }
  for (const node of nodes) await startFirst(node)
  const { code, text } = await run(
    ['deploy/watch.sh', ...nodes.map((node) => `http://127.0.0.1:${ports[node]}`)],
    {
      WATCH_SECONDS: '0',
    },
  )
  assert.equal(code, 0, [text, ...nodes.map((node) => noted(`${node}.log`))].join('\n'))
  load = Promise.all(
    nodes.map(async (node) => {
      while (clients) {
        await fetch(`http://127.0.0.1:${ports[node]}/`).then(
          (answer) => answer.text(),
          () => undefined,
        )
        await delay(20)
      }
    }),
  )
})

after(async () => {
  clients = false
  await load
  for (const node of nodes) {
    const pid = Number(noted(`${node}.pid`))
    try {
      if (pid > 0) process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended.
    }
  }
})

test('a version that is well runs on all nodes, one after the other', async () => {
  const { code, text } = await run(['deploy/rollout.sh', 'second'])
  assert.equal(code, 0, text)
  assert.match(text, /second runs\n$/)
  assert.deepEqual(await answers(), ['second', 'second'])
  assert.equal(noted('replaced').trim().split('\n').slice(-2).join(), 'one second,two second')
})

test('a version that answers 5xx is taken back, and the other node never gets it', async () => {
  const { code, text } = await run(['deploy/rollout.sh', 'failing'], { WATCH_SECONDS: '20' })
  assert.equal(code, 1, text)
  assert.match(text, /requests were answered 5xx: more than 5 %/)
  assert.match(text, /all is as before\n$/)
  assert.deepEqual(await answers(), ['second', 'second'])
  assert.ok(!noted('replaced').includes('two failing'))
})

test('a version that does not start is taken back', async () => {
  const { code, text } = await run(['deploy/rollout.sh', 'invalid'], { READY_SECONDS: '2' })
  assert.equal(code, 1, text)
  assert.match(text, /was not ready within 2 s/)
  assert.deepEqual(await answers(), ['second', 'second'])
})

test('a version that cannot be had is taken back, and another roll-out meanwhile is refused', async () => {
  const [first, other] = await Promise.all([
    run(['deploy/rollout.sh', 'nowhere']),
    delay(500).then(() => run(['deploy/rollout.sh', 'first'])),
  ])
  assert.deepEqual([first.code, other.code], [1, 1], first.text + other.text)
  assert.match(first.text, /one could not be replaced/)
  assert.match(other.text, /another roll-out is under way/)
  assert.deepEqual(await answers(), ['second', 'second'])
})

test('nothing is touched while a node is not ready', async () => {
  const before = noted('replaced')
  process.kill(Number(noted('two.pid')), 'SIGKILL')
  const { code, text } = await run(['deploy/rollout.sh', 'first'])
  assert.equal(code, 1, text)
  assert.match(text, /two is not ready now: nothing was changed/)
  assert.equal(noted('replaced'), before)
})

test('Kubernetes: the overlay is applied with the image, and stays when the pods are well', async () => {
  const environment = { KUBECTL: await ensureProgram('kubectl') }
  const { code, text } = await run(
    ['deploy/kubernetes/rollout.sh', 'development', 'ghcr.io/a/b:1'],
    environment,
  )
  assert.equal(code, 0, text)
  const images = [...noted('applied.yaml').matchAll(/image: (.*)/g)].map(([, image]) => image)
  assert.deepEqual(images.sort(), ['ghcr.io/a/b:1', 'postgres:17-alpine', 'redis:7-alpine'])
  assert.equal(noted('undone'), '')
})

test('Kubernetes: pods that do not become ready are undone', async () => {
  const environment = { KUBECTL: await ensureProgram('kubectl') }
  writeFileSync(join(folder, 'status'), '1')
  const { code, text } = await run(
    ['deploy/kubernetes/rollout.sh', 'production', 'ghcr.io/a/b:2'],
    environment,
  )
  assert.equal(code, 1, text)
  assert.match(text, /the new pods are not ready\n.*the pods are those from before/s)
  assert.equal(noted('undone'), 'undone\n')
  assert.ok(noted('applied.yaml').includes('image: ghcr.io/a/b:2\n'))
})
