import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { ensureProgram } from '../services/programs.ts'
import { runHere } from './here.ts'

/** What is typed before the word that is completed, that word, and what is offered. */
const lines: readonly (readonly [typed: string, word: string, offered: readonly string[]])[] = [
  ['gateway', 'val', ['validate']],
  ['gateway graphql', '', ['compose', 'plan', 'check']],
  ['gateway graphql', 'pl', ['plan']],
  ['gateway routes explain', '--h', ['--header', '--help']],
  ['gateway routes explain GET /v1', '--h', ['--header', '--help']],
  ['gateway --json validate my.yaml', '--pr', ['--print']],
  ['gateway completion', 'z', ['zsh']],
]

test('bash completes commands and their options', async () => {
  const { out: script } = await runHere(['completion', 'bash'])
  for (const [typed, word, offered] of lines) {
    const words = [...typed.split(' '), word]
    const asks = `COMP_WORDS=(${words.map((one) => `'${one}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _gateway; printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', `${script}\n${asks}`], { encoding: 'utf8' })
    assert.equal(stderr, '')
    const seen = stdout.split('\n').filter((line) => line !== '')
    assert.deepEqual(word === '' ? seen.slice(0, offered.length) : seen, offered, `${typed} ${word}`)
  }
})

test('fish completes commands and their options', async () => {
  const fish = await ensureProgram('fish')
  const { out: script } = await runHere(['completion', 'fish'])
  for (const [typed, word, offered] of lines) {
    const asks = `complete --do-complete '${typed} ${word}'`
    const { stdout, stderr } = spawnSync(fish, ['--no-config', '-c', `${script}\n${asks}`], {
      encoding: 'utf8',
    })
    assert.equal(stderr, '')
    const seen = stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('\t')[0] ?? '')
    assert.deepEqual(seen.toSorted(), [...offered].sort(), `${typed} ${word}`)
  }
})

test('zsh reads its completion, and completes commands', async () => {
  const zsh = await ensureProgram('zsh')
  const { out: script } = await runHere(['completion', 'zsh'])
  // Completion itself needs a terminal: what it would describe is printed instead.
  const stub = `compdef() { }; _files() { }; _describe() { print -l -- $\{(P)2} }`
  for (const [typed, word, offered] of lines) {
    const words = [...typed.split(' '), word]
    const asks = `words=(${words.map((one) => `'${one}'`).join(' ')}); CURRENT=${words.length}; _gateway`
    const { stdout, stderr } = spawnSync(zsh, ['-f', '-c', `${stub}\n${script}\n${asks}`], {
      encoding: 'utf8',
    })
    assert.equal(stderr, '')
    const all = stdout.split('\n').map((line) => line.split(':')[0] ?? '')
    assert.deepEqual(
      all.filter((one) => one !== '' && one.startsWith(word)).slice(0, offered.length),
      offered,
      `${typed} ${word}`,
    )
  }
})
