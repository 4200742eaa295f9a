import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { readDockerfile } from './dockerfile.ts'

const root = resolve(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const { stages } = readDockerfile(read('deploy/Dockerfile'))
const gateway = stages.get('gateway') ?? []
const last = (word: string): string => gateway.findLast((line) => line.word === word)?.rest ?? ''

test('the last stage is the gateway, so that no target has to be named for it', () => {
  assert.equal([...stages.keys()].at(-1), 'gateway')
})

test('the gateway does not run as root, and Kubernetes can tell by the number', () => {
  assert.match(last('USER'), /^[1-9]\d*:[1-9]\d*$/)
})

test('what it writes lies on a volume that its user owns', () => {
  const [, folder] = /^\/app\/(\w+)$/.exec(last('VOLUME')) ?? []
  assert.ok(gateway.some(({ word, rest }) => word === 'RUN' && rest.includes(`chown node:node ${folder}`)))
  assert.match(read('gateway.yaml'), new RegExp(`\\./${folder}/|"?${folder}/`))
})

test('it says by itself whether it lives, at the port that it listens on', () => {
  const [, port] =
    /0\.0\.0\.0:(\d+)/.exec(gateway.find(({ rest }) => rest.startsWith('GATEWAY_LISTEN'))?.rest ?? '') ?? []
  assert.equal(last('EXPOSE'), port)
  assert.match(last('HEALTHCHECK'), new RegExp(`http://127\\.0\\.0\\.1:${port}/livez`))
})

test('it has what it is started with', () => {
  assert.deepEqual(JSON.parse(last('ENTRYPOINT')), ['node', 'src/main.ts'])
  assert.ok(existsSync(join(root, 'src/main.ts')))
  assert.deepEqual(JSON.parse(last('CMD')), ['start', '--config', '/app/gateway.yaml'])
})

test('what is copied is there, and .dockerignore lets it in', () => {
  const letIn = read('.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1))
  for (const [name, lines] of stages) {
    for (const { word, rest } of lines) {
      if (word !== 'COPY' || rest.startsWith('--from')) continue
      for (const source of rest.split(' ').slice(0, -1)) {
        assert.ok(existsSync(join(root, source)), `${name} copies ${source}`)
        assert.ok(letIn.includes(source), `.dockerignore keeps ${source} out`)
      }
    }
  }
})

test('the gateway has no development dependencies, and needs none', () => {
  assert.ok(stages.get('dependencies')?.some(({ rest }) => rest.includes('npm ci --omit=dev')))
  assert.ok(!gateway.some(({ rest }) => rest.includes('npm ')))
  const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> }
  const known = new Set([...Object.keys(dependencies), ...builtinModules])
  for (const file of globSync('src/**/*.ts', { cwd: root })) {
    for (const [line, name = ''] of read(file).matchAll(
      /^(?:import|export) [^'"]*?from '([^.'][^']*)'|^import '([^.'][^']*)'/gms,
    )) {
      if (/^(import|export) type /.test(line) || name.startsWith('node:')) continue
      const parts = name.split('/')
      const module = parts.slice(0, name.startsWith('@') ? 2 : 1).join('/')
      assert.ok(
        known.has(module),
        `${file} imports ${module}, which package.json does not bring to the image`,
      )
    }
  }
})
