import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { plugin as quietHours } from '../examples/plugins/quiet-hours.ts'
import { ConfigDocument } from '../src/config/document.ts'
import { configJsonSchema } from '../src/config/json-schema.ts'
import { checkConfig } from '../src/config/load.ts'
import { configReference } from '../src/config/reference.ts'
import { errorReference } from '../src/error-reference.ts'
import { builtinPlugins } from '../src/plugins/builtin.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const pages = ['README.md', 'CONTRIBUTING.md', ...folder('docs'), ...folder('docs/decisions')]

test('what is written from declarations is equal to them (npm run reference)', () => {
  assert.equal(read('docs/errors.md'), errorReference())
  assert.equal(read('docs/configuration.md'), configReference(builtinPlugins))
  assert.equal(
    read('schemas/gateway.schema.json'),
    `${JSON.stringify(configJsonSchema(builtinPlugins), null, 2)}\n`,
  )
})

for (const page of pages) {
  for (const { line, text } of blocks(page, 'yaml')) {
    test(`the configuration in ${page}, line ${line}, is valid`, () => {
      const document = new ConfigDocument(page, text, {})
      checkConfig(document, [...builtinPlugins, quietHours])
    })
  }
  for (const { line, info, text } of blocks(page, 'ts')) {
    const file = /file=(\S+)/.exec(info)?.[1]
    if (file === undefined) continue
    test(`the code in ${page}, line ${line}, is that of ${file}, which runs in the tests`, () => {
      assert.equal(text, read(file))
    })
  }
  test(`${page} links to files that are there`, () => {
    for (const [, target = ''] of read(page).matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)) {
      assert.doesNotThrow(
        () => readFileOrFolder(new URL(target, new URL(page, `file://${root}`))),
        `${page} -> ${target}`,
      )
    }
  })
}

function folder(path: string): string[] {
  return readdirSync(`${root}/${path}`)
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${path}/${name}`)
}

function read(path: string): string {
  return readFileSync(`${root}/${path}`, 'utf8')
}

function readFileOrFolder(url: URL): void {
  try {
    readFileSync(url)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EISDIR') throw error
  }
}

/** Fenced blocks of one language, with the line that they start at. */
function blocks(page: string, language: string): { line: number; info: string; text: string }[] {
  const text = read(page)
  return [...text.matchAll(new RegExp(`^\`\`\`(${language}\\b[^\\n]*)\\n(.*?)^\`\`\``, 'gms'))].map(
    (match) => ({
      line: text.slice(0, match.index).split('\n').length,
      info: match[1] ?? '',
      text: match[2] ?? '',
    }),
  )
}
