import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { googleProtos, type House, openHouse, serviceOf, startBackend, upstreamOf } from './harness.ts'

// Input that nobody here wrote: the published protos of Google Pub/Sub and Firestore, loaded whole.

// biome-ignore lint/suspicious/noExplicitAny: messages of every type.
type Call = any
type Callback = (error: object | null, reply?: object) => void

const pubsub = join(googleProtos, 'google/pubsub/v1/pubsub.proto')
const firestore = join(googleProtos, 'google/firestore/v1/firestore.proto')

let pubsubHouse: House
let firestoreHouse: House
const closing: (() => unknown)[] = []
const heard: Record<string, Call> = {}

before(async () => {
  const topics = await startBackend(pubsub, {
    'google.pubsub.v1.Publisher': {
      CreateTopic: echo('CreateTopic'),
      UpdateTopic: (call: Call, callback: Callback) => {
        heard.UpdateTopic = call.request
        callback(null, call.request.topic)
      },
      Publish: answer('Publish', { message_ids: ['1', '2'] }),
      GetTopic: (call: Call, callback: Callback) => {
        heard.GetTopic = call.request
        callback({ code: 5, details: `Resource not found (resource=${call.request.topic}).` })
      },
      ListTopics: answer('ListTopics', { topics: [{ name: 'projects/p/topics/t' }], next_page_token: 'n' }),
      DeleteTopic: answer('DeleteTopic', {}),
    },
    'google.pubsub.v1.Subscriber': {
      Pull: answer('Pull', {
        received_messages: [
          { ack_id: 'a', message: { data: Buffer.from('hi'), publish_time: { seconds: '1700000000' } } },
        ],
      }),
    },
  })
  closing.push(topics.close)
  const documents = await startBackend(firestore, {
    'google.firestore.v1.Firestore': {
      GetDocument: answer('GetDocument', {
        name: 'projects/p/databases/d/documents/a/b',
        fields: everyValue,
      }),
      Commit: answer('Commit', { write_results: [{ update_time: { seconds: '1' } }, {}] }),
      UpdateDocument: (call: Call, callback: Callback) => {
        heard.UpdateDocument = call.request
        callback(null, call.request.document)
      },
      RunQuery: (call: Call) => {
        heard.RunQuery = call.request
        call.write({ document: { name: 'one' }, read_time: { seconds: '1' } })
        call.write({ document: { name: 'two' }, skipped_results: 3 })
        call.end()
      },
    },
  })
  closing.push(documents.close)
  pubsubHouse = await openHouse(
    [pubsub],
    ['Publisher', 'Subscriber'].map((name) =>
      serviceOf(`google.pubsub.v1.${name}`, upstreamOf([topics.url])),
    ),
  )
  closing.push(pubsubHouse.close)
  firestoreHouse = await openHouse(
    [firestore],
    [serviceOf('google.firestore.v1.Firestore', upstreamOf([documents.url]))],
  )
  closing.push(firestoreHouse.close)
})
after(async () => {
  for (const close of closing.reverse()) await close()
})

test('Pub/Sub: a topic is created by PUT, its name from the path, maps and durations from the body', async () => {
  const body = {
    labels: { env: 'test' },
    messageRetentionDuration: '600s',
    messageStoragePolicy: { allowedPersistenceRegions: ['eu'] },
  }
  const { status, json } = await pubsubHouse.ask('PUT', '/v1/projects/p/topics/t', { body })
  assert.equal(status, 200, JSON.stringify(json))
  assert.deepEqual(json, { name: 'projects/p/topics/t', ...body })
  assert.equal(heard.CreateTopic.message_retention_duration.seconds, '600')
})

test('Pub/Sub: PATCH with a nested path variable, a field mask and a body beside it', async () => {
  const body = { topic: { labels: { a: 'b' } }, updateMask: 'labels,messageRetentionDuration' }
  const { json } = await pubsubHouse.ask('PATCH', '/v1/projects/p/topics/t', { body })
  assert.deepEqual(json, { name: 'projects/p/topics/t', labels: { a: 'b' } })
  assert.deepEqual(heard.UpdateTopic.update_mask.paths, ['labels', 'message_retention_duration'])
})

test('Pub/Sub: messages are published under a custom verb', async () => {
  const { json } = await pubsubHouse.ask('POST', '/v1/projects/p/topics/t:publish', {
    body: { messages: [{ data: 'aGk=', attributes: { k: 'v' }, orderingKey: 'o' }, { data: 'aG8' }] },
  })
  assert.deepEqual(json, { messageIds: ['1', '2'] })
  assert.equal(heard.Publish.topic, 'projects/p/topics/t')
  assert.deepEqual(
    [heard.Publish.messages[0].ordering_key, String(heard.Publish.messages[1].data)],
    ['o', 'ho'],
  )
})

test('Pub/Sub: topics are listed by query', async () => {
  const { json } = await pubsubHouse.ask('GET', '/v1/projects/p/topics?pageSize=5&page_token=x')
  assert.deepEqual(json, { topics: [{ name: 'projects/p/topics/t' }], nextPageToken: 'n' })
  assert.deepEqual(
    [heard.ListTopics.project, heard.ListTopics.page_size, heard.ListTopics.page_token],
    ['projects/p', 5, 'x'],
  )
})

test('Pub/Sub: NOT_FOUND is 404 in the words of the backend', async () => {
  const { status, json } = await pubsubHouse.ask('GET', '/v1/projects/p%2Fq/topics/t')
  assert.equal(status, 404)
  assert.equal(json.message, 'Resource not found (resource=projects/p%2Fq/topics/t).')
})

test('Pub/Sub: pulled messages carry bytes and times', async () => {
  const { json } = await pubsubHouse.ask('POST', '/v1/projects/p/subscriptions/s:pull', {
    body: { maxMessages: 1 },
  })
  assert.deepEqual(json.receivedMessages[0], {
    ackId: 'a',
    message: { data: 'aGk=', publishTime: '2023-11-14T22:13:20Z' },
  })
})

const everyValue = {
  nothing: { null_value: 'NULL_VALUE' },
  yes: { boolean_value: true },
  many: { integer_value: '9007199254740993' },
  part: { double_value: 0.5 },
  when: { timestamp_value: { seconds: '0', nanos: 1_000_000 } },
  word: { string_value: '' },
  raw: { bytes_value: Buffer.from([255]) },
  where: { geo_point_value: { latitude: 1, longitude: -1 } },
  list: { array_value: { values: [{ string_value: 'a' }] } },
  tree: { map_value: { fields: { leaf: { integer_value: '0' } } } },
}
const everyValueJson = {
  nothing: { nullValue: null },
  yes: { booleanValue: true },
  many: { integerValue: '9007199254740993' },
  part: { doubleValue: 0.5 },
  when: { timestampValue: '1970-01-01T00:00:00.001Z' },
  word: { stringValue: '' },
  raw: { bytesValue: '/w==' },
  where: { geoPointValue: { latitude: 1, longitude: -1 } },
  list: { arrayValue: { values: [{ stringValue: 'a' }] } },
  tree: { mapValue: { fields: { leaf: { integerValue: '0' } } } },
}

test('Firestore: a document under ** with a mask comes with every kind of value', async () => {
  const { status, json } = await firestoreHouse.ask(
    'GET',
    '/v1/projects/p/databases/d/documents/a/b%20c/d/e?mask.fieldPaths=x&mask.fieldPaths=y',
  )
  assert.equal(status, 200, JSON.stringify(json))
  assert.deepEqual(json.fields, everyValueJson)
  assert.deepEqual(
    [heard.GetDocument.name, heard.GetDocument.mask.field_paths],
    ['projects/p/databases/d/documents/a/b c/d/e', ['x', 'y']],
  )
})

test('Firestore: a commit carries writes of every kind of value', async () => {
  const name = 'projects/p/databases/d/documents/rooms/r1'
  const { status, json } = await firestoreHouse.ask('POST', '/v1/projects/p/databases/d/documents:commit', {
    body: { writes: [{ update: { name, fields: everyValueJson } }, { delete: name }], transaction: 'AQI=' },
  })
  assert.equal(status, 200, JSON.stringify(json))
  assert.deepEqual(json, { writeResults: [{ updateTime: '1970-01-01T00:00:01Z' }, {}] })
  const { database, writes, transaction } = heard.Commit
  assert.deepEqual([database, writes[1].delete, [...transaction]], ['projects/p/databases/d', name, [1, 2]])
  const { fields } = writes[0].update
  assert.deepEqual(
    [fields.many.integer_value, fields.part.double_value, fields.nothing.value_type],
    ['9007199254740993', 0.5, 'null_value'],
  )
})

test('Firestore: all of its methods are there, also those whose templates go on after **', async () => {
  const rows = firestoreHouse.frontEnd.rows
    .filter((row) => row.template !== `/${row.id}`)
    .map((row) => row.id.replace('google.firestore.v1.Firestore/', ''))
  assert.deepEqual([rows.includes('CreateDocument'), rows.includes('ListDocuments')], [true, true])
  assert.equal(new Set(rows).size, 17)
})

test('Firestore: a variable inside the body field wins over it', async () => {
  const { status, json } = await firestoreHouse.ask(
    'PATCH',
    '/v1/projects/p/databases/d/documents/a/b?currentDocument.exists=true',
    {
      body: { name: 'elsewhere', fields: {} },
    },
  )
  assert.equal(status, 200, JSON.stringify(json))
  assert.equal(json.name, 'projects/p/databases/d/documents/a/b')
  assert.equal(heard.UpdateDocument.current_document.exists, true)
})

test('Firestore: a query streams its results', async () => {
  const body = { structuredQuery: { from: [{ collectionId: 'rooms' }], limit: 5 } }
  const { json } = await firestoreHouse.ask('POST', '/v1/projects/p/databases/d/documents:runQuery', { body })
  assert.deepEqual(json, [
    { document: { name: 'one' }, readTime: '1970-01-01T00:00:01Z' },
    { document: { name: 'two' }, skippedResults: 3 },
  ])
  assert.equal(heard.RunQuery.structured_query.limit.value, 5)
})

function answer(name: string, reply: object): (call: Call, callback: Callback) => void {
  return (call, callback) => {
    heard[name] = call.request
    callback(null, reply)
  }
}

function echo(name: string): (call: Call, callback: Callback) => void {
  return (call, callback) => {
    heard[name] = call.request
    callback(null, call.request)
  }
}
