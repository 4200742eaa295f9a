// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is what is tested
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ConfigDocument, type Environment } from '../../src/config/document.ts'
import { folderOf } from './files.ts'

const cases: readonly (readonly [name: string, written: string, environment: Environment, value: unknown])[] =
  [
    ['a variable', '${A}', { A: 'x' }, 'x'],
    ['a default where the variable is not set', '${A:-x}', {}, 'x'],
    ['a default where the variable is empty', '${A:-x}', { A: '' }, 'x'],
    ['an empty default', '${A:-}', {}, ''],
    ['a quoted empty default', '"${A:-}"', {}, ''],
    ['a default with a colon and slashes', '${A:-http://a:1/b}', {}, 'http://a:1/b'],
    ['the variable before the default', '${A:-x}', { A: 'y' }, 'y'],
    ['variables amid text', 'http://${H}:${P:-80}', { H: 'a' }, 'http://a:80'],
    ['a plain number as a number', '${A:-8080}', {}, 8080],
    ['a negative plain number as a number', '${A}', { A: '-1' }, -1],
    ['a quoted number as text', '"${A:-8080}"', {}, '8080'],
    ['a single-quoted number as text', "'${A}'", { A: '1' }, '1'],
    ['plain true and false as such', '\n- ${A}\n- ${B}', { A: 'true', B: 'false' }, [true, false]],
    ['quoted true as text', '"${A}"', { A: 'true' }, 'true'],
    ['a number too large to be exact as text', '${A}', { A: '12345678901234567890' }, '12345678901234567890'],
    ['what a variable holds as it stands: it is not expanded again', '${A}', { A: '${B}', B: 'x' }, '${B}'],
    ['YAML in a variable as text', '${A}', { A: '[1, {a: b}]' }, '[1, {a: b}]'],
    ['values in lists and in flow mappings', '[{b: "${A}"}]', { A: 'x' }, [{ b: 'x' }]],
    ['no keys', '{"${A}": 1}', { A: 'x' }, { '${A}': 1 }],
    ['nothing without braces', '$A', { A: 'x' }, '$A'],
    ['file:// beside the configuration, without the last line end', 'file://secret', {}, 'top secret'],
    ['file:// of an absolute path', 'file://${FOLDER}/secret', {}, 'top secret'],
    ['file:// of a variable', '"file://${NAME}"', { NAME: 'secret' }, 'top secret'],
    ['what a file holds as it stands', 'file://tricky', {}, '${A} file://secret\n'],
  ]

for (const [name, written, environment, value] of cases) {
  test(`reads ${name}`, (t) => {
    const inFolder = folderOf(t, {
      secret: 'top secret\n',
      tricky: '${A} file://secret\n\n',
      'gateway.yaml': `a: ${written}\n`,
    })
    const document = new ConfigDocument(
      inFolder('gateway.yaml'),
      readFileSync(inFolder('gateway.yaml'), 'utf8'),
      {
        ...environment,
        FOLDER: inFolder('').replace(/\/$/, ''),
      },
    )
    assert.deepEqual(document.problems, [])
    assert.deepEqual(document.data, { a: value })
  })
}

test('an anchor is filled in where it is used', () => {
  const document = new ConfigDocument('x', 'a: &a ${A:-x}\nb: *a\n', {})
  assert.deepEqual(document.data, { a: 'x', b: 'x' })
})

test('a document that multiplies itself through aliases is refused', () => {
  const lines = ['a: &a [x, x, x, x, x, x, x, x, x, x]']
  for (const [from, to] of ['ab', 'bc', 'cd', 'de', 'ef'])
    lines.push(`${to}: &${to} [${`*${from}, `.repeat(9)}*${from}]`)
  const { problems } = new ConfigDocument('x', lines.join('\n'), {})
  assert.match(problems[0]?.message ?? '', /^Excessive alias count/)
})
