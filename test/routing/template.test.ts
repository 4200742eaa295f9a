import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalPath } from '../../src/routing/canonical-path.ts'
import { bindVariables, parseTemplate, type Template } from '../../src/routing/template.ts'
import { insert, trieNode, visitMatches } from '../../src/routing/trie.ts'

/** A template in one line: literals as they are, `*`, `**`, variables as `name[start,end)`, `+` when they are multi. */
function shown(template: Template): string {
  const segments = template.segments.map((segment) =>
    segment.kind === 'literal' ? segment.text : segment.kind === 'star' ? '*' : '**',
  )
  const variables = template.variables.map(
    ({ path, start, end, multi }) => `${path.join('.')}[${start},${end})${multi ? '+' : ''}`,
  )
  return [
    `/${segments.join('/')}`,
    ...variables,
    ...(template.verb === '' ? [] : [`:${template.verb}`]),
  ].join(' ')
}

// google/api/http.proto, "Path template syntax".
const grammar: readonly (readonly [production: string, text: string, parsed: string])[] = [
  ['Template: "/" alone (beyond the standard)', '/', '/'],
  ['Segment: LITERAL', '/v1', '/v1'],
  ['Segments: several', '/v1/messages/all', '/v1/messages/all'],
  ['Segment: "*"', '/v1/*/b', '/v1/*/b'],
  ['Segment: "**"', '/v1/**', '/v1/**'],
  ['Variable without a template', '/v1/{name}', '/v1/* name[1,2)'],
  ['Variable "=" "*", equivalent to the one without', '/v1/{name=*}', '/v1/* name[1,2)'],
  ['Variable "=" "**"', '/v1/{name=**}', '/v1/** name[1,2)+'],
  ['Variable "=" LITERAL', '/v1/{name=all}', '/v1/all name[1,2)'],
  ['Variable "=" Segments', '/v1/{name=shelves/*/books/*}', '/v1/shelves/*/books/* name[1,5)+'],
  ['Variable "=" Segments that end in "**"', '/v1/{name=shelves/**}', '/v1/shelves/** name[1,3)+'],
  ['FieldPath: IDENT { "." IDENT }', '/v1/{book.author.name}', '/v1/* book.author.name[1,2)'],
  ['IDENT with _ and digits', '/{_a1}/{B_2}', '/*/* _a1[0,1) B_2[1,2)'],
  ['several Variables', '/v1/{a}/x/{b=y/*}', '/v1/*/x/y/* a[1,2) b[3,5)+'],
  ['Verb after a LITERAL', '/v1/messages:batch', '/v1/messages :batch'],
  ['Verb after a Variable', '/v1/{name=shelves/*}:watch', '/v1/shelves/* name[1,3)+ :watch'],
  ['Verb after "*"', '/v1/*:cancel', '/v1/* :cancel'],
  ['Verb after "**"', '/v1/{name=**}:cancel', '/v1/** name[1,2)+ :cancel'],
  ['LITERAL with unreserved characters', '/a-b_c.d~e', '/a-b_c.d~e'],
  ['LITERAL with an escape, in canonical spelling', '/caf%c3%a9', '/caf%C3%A9'],
  ['LITERAL with an escaped unreserved character, in canonical spelling', '/%7Ehome', '/~home'],
  ['segments after "**" (beyond the standard)', '/v1/{a=x/**}/b/{c}', '/v1/x/**/b/* a[1,3)+ c[4,5)'],
  // Its own examples.
  ['example', '/v1/{name=messages/*}', '/v1/messages/* name[1,3)+'],
  ['example', '/v1/messages/{message_id}', '/v1/messages/* message_id[2,3)'],
  [
    'example',
    '/v1/users/{user_id}/messages/{message_id}',
    '/v1/users/*/messages/* user_id[2,3) message_id[4,5)',
  ],
  [
    'example',
    '/v1/messages/{message_id}/{sub.subfield}',
    '/v1/messages/*/* message_id[2,3) sub.subfield[3,4)',
  ],
]

for (const [production, text, parsed] of grammar) {
  test(`parses ${production}: ${text}`, () => {
    assert.equal(shown(parseTemplate(text)), parsed)
  })
}

const refused: readonly (readonly [text: string, message: string])[] = [
  ['', 'Template "", column 1: expected "/", found the end'],
  ['v1', 'Template "v1", column 1: expected "/", found "v"'],
  ['//', 'Template "//", column 2: expected a segment ("*", "**", "{variable}" or a literal), found "/"'],
  [
    '/v1/',
    'Template "/v1/", column 5: expected a segment ("*", "**", "{variable}" or a literal), found the end',
  ],
  ['/v1/***', 'Template "/v1/***", column 7: expected the end of the template, found "*"'],
  ['/v1/a*', 'Template "/v1/a*", column 6: expected the end of the template, found "*"'],
  ['/v1/{name', 'Template "/v1/{name", column 10: expected "}", found the end'],
  ['/v1/{}', 'Template "/v1/{}", column 6: expected a field name, found "}"'],
  ['/v1/{1a}', 'Template "/v1/{1a}", column 6: expected a field name, found "1"'],
  ['/v1/{a.}', 'Template "/v1/{a.}", column 8: expected a field name, found "}"'],
  ['/v1/{a-b}', 'Template "/v1/{a-b}", column 7: expected "}", found "-"'],
  [
    '/v1/{a=}',
    'Template "/v1/{a=}", column 8: expected a segment ("*", "**", "{variable}" or a literal), found "}"',
  ],
  // "A variable template must not contain other variables."
  [
    '/v1/{a={b}}',
    'Template "/v1/{a={b}}", column 8: expected a segment without a variable (variables do not nest), found "{"',
  ],
  ['/v1/**/**', 'Template "/v1/**/**": "**" stands twice'],
  ['/v1/{a=**}/{b=x/**}', 'Template "/v1/{a=**}/{b=x/**}": "**" stands twice'],
  ['/v1/{a}/{a}', 'Template "/v1/{a}/{a}": variable "a" stands twice'],
  ['/v1:', 'Template "/v1:", column 5: expected a verb, found the end'],
  [
    '/:verb',
    'Template "/:verb", column 2: expected a segment ("*", "**", "{variable}" or a literal), found ":"',
  ],
  ['/v1:a:b', 'Template "/v1:a:b", column 6: expected the end of the template, found ":"'],
  ['/v1:a/b', 'Template "/v1:a/b", column 6: expected the end of the template, found "/"'],
  ['/v1/a b', 'Template "/v1/a b", column 6: expected the end of the template, found " "'],
  ['/v1?x', 'Template "/v1?x", column 4: expected the end of the template, found "?"'],
  [
    '/v1/%zz',
    'Template "/v1/%zz", column 5: expected a segment ("*", "**", "{variable}" or a literal), found "%"',
  ],
  // What no canonical path holds could never match.
  [
    '/v1/../a',
    'Template "/v1/../a", column 5: expected a segment other than "." and ".." (no path keeps those), found "."',
  ],
  [
    '/v1/%2E',
    'Template "/v1/%2E", column 5: expected a segment other than "." and ".." (no path keeps those), found "%"',
  ],
  ['/v1/a;b', 'Template "/v1/a;b", column 6: expected the end of the template, found ";"'],
]

for (const [text, message] of refused) {
  test(`refuses the template "${text}" at its column`, () => {
    assert.throws(() => parseTemplate(text), { message })
  })
}

// http.proto: a single-segment variable is decoded whole, a multi-segment one keeps "%2F" and "%2f".
const bindings: readonly (readonly [template: string, path: string, values: readonly string[]])[] = [
  ['/v1/messages/{message_id}', '/v1/messages/123456', ['123456']],
  ['/v1/users/{user_id}/messages/{message_id}', '/v1/users/me/messages/123456', ['me', '123456']],
  ['/v1/{name=messages/*}', '/v1/messages/123456', ['messages/123456']],
  ['/v1/{id}', '/v1/a%2Fb', ['a/b']],
  ['/v1/{id}', '/v1/a%2fb', ['a/b']],
  ['/v1/{id=*}', '/v1/a%2Fb', ['a/b']],
  ['/v1/{name=books/*}', '/v1/books/a%2Fb', ['books/a%2Fb']],
  ['/v1/{name=**}', '/v1/a%2Fb/c%20d', ['a%2Fb/c d']],
  // Canonical spelling has put the escape in upper case.
  ['/v1/{name=**}', '/v1/a%2fb', ['a%2Fb']],
  // Nothing is decoded twice.
  ['/v1/{id}', '/v1/100%2525', ['100%25']],
  ['/v1/{id}', '/v1/a%252Fb', ['a%2Fb']],
  ['/v1/{name=**}', '/v1/a%252Fb', ['a%2Fb']],
  ['/v1/{id}', '/v1/Caf%C3%A9%20%E2%98%95', ['Café ☕']],
  ['/v1/{id}', '/v1/%F0%9F%93%9A', ['📚']],
  ['/v1/{name=shelves/*}', '/v1/shelves/%E6%9C%AC%2F1', ['shelves/本%2F1']],
  ['/v1/{name=**}', '/v1', ['']],
  ['/v1/{name=shelves/**}', '/v1/shelves', ['shelves']],
  ['/v1/{name=shelves/**}', '/v1/shelves/1/books/2', ['shelves/1/books/2']],
  ['/v1/{name=shelves/*}:watch', '/v1/shelves/1:watch', ['shelves/1']],
  ['/v1/{id}:watch', '/v1/a%2Fb:watch', ['a/b']],
  ['/v1/{id}:watch', '/v1/urn:isbn:1:watch', ['urn:isbn:1']],
  ['/v1/{name=**}:watch', '/v1/a/b:watch', ['a/b']],
  ['/v1/{id}', '/v1/urn:isbn:1', ['urn:isbn:1']],
  ['/v1/{id}', '/v1/a:watch', ['a:watch']],
  ['/v1/{id}', '/v1/a%3Awatch', ['a:watch']],
  // Parameters belong to the value, but not to the verb.
  ['/v1/{id}', '/v1/a;v=1', ['a;v=1']],
  ['/v1/{id}:watch', '/v1/a:watch;v=1', ['a']],
  ['/v1/{id}', '/v1/a/', ['a']],
  ['/v1/{a.b}/{c=x/*}/{d=**}', '/v1/1/x/2/3/4', ['1', 'x/2', '3/4']],
  ['/v1/{id}', '/v1/a+b', ['a+b']],
  // What follows "**" takes the end of the path.
  ['/v1/{a=x/**}/{b}', '/v1/x/1', ['x', '1']],
  ['/v1/{a=x/**}/{b}', '/v1/x/1/2/3%2F4', ['x/1/2', '3/4']],
  ['/v1/{a=**}/y/{b}:go', '/v1/1/2/y/y:go', ['1/2', 'y']],
  ['/v1/{a}/{b=x/**/y}/{c}', '/v1/1/x/y/2', ['1', 'x/y', '2']],
  ['/v1/{a}/{b=x/**/y}/{c}', '/v1/1/x/2%2f3/4/y/5', ['1', 'x/2%2F3/4/y', '5']],
]

for (const [text, path, values] of bindings) {
  test(`binds ${text} to ${path}`, () => {
    const template = parseTemplate(text)
    const { segments, matchSegments } = canonicalPath(path)
    const root = trieNode<string>()
    insert(root, template).push(text)
    const verbs = new Set(template.verb === '' ? [] : [template.verb])
    assert.equal(
      visitMatches(root, matchSegments, verbs, () => true),
      text,
    )
    assert.deepEqual(bindVariables(template, segments), values)
  })
}
