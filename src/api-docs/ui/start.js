// Runs in the browser, after swagger-ui-bundle.js. Nothing is kept: a key is gone with the tab.
const { document: url, keyHeader } = document.currentScript.dataset
const place = document.querySelector('#api')

load({})

/** Reads the document; who may not read it is asked for a key or a token. */
async function load(credential) {
  const { header, value } = credential
  const answer = await fetch(url, { headers: header === undefined ? {} : { [header]: value } }).catch(
    () => undefined,
  )
  if (answer?.ok) return show(await answer.json(), credential)
  if (answer?.status === 401 || answer?.status === 403) return ask(header !== undefined)
  const { detail = 'The description could not be read.' } = (await answer?.json().catch(() => ({}))) ?? {}
  place.textContent = detail
}

function show(spec, { scheme, secret }) {
  const ui = globalThis.SwaggerUIBundle({
    spec: { ...spec, servers: absolute(spec.servers) },
    domNode: place,
    deepLinking: true,
    docExpansion: 'list',
    tryItOutEnabled: true,
    displayRequestDuration: true,
    persistAuthorization: false,
    validatorUrl: null,
    onComplete: () => {
      if (scheme !== undefined) ui.preauthorizeApiKey(scheme, secret)
    },
  })
}

/** As the document means them: relative to where it is. */
function absolute(servers = [{ url: '/' }]) {
  const base = new URL(url, location.href)
  return servers.map((server) => ({ ...server, url: new URL(server.url, base).href.replace(/\/$/, '') }))
}

function ask(again) {
  const form = document.createElement('form')
  form.className = 'ask'
  const text = document.createElement('label')
  text.textContent = again
    ? 'That is not enough to read this description.'
    : 'This description is for callers that are known. Give an API key or a token.'
  const input = document.createElement('input')
  input.type = 'password'
  input.autocomplete = 'off'
  input.setAttribute('aria-label', 'API key or token')
  const button = document.createElement('button')
  button.textContent = 'Read'
  form.append(text, input, button)
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const secret = input.value.trim()
    const isToken = secret.split('.').length === 3
    place.replaceChildren()
    if (isToken) load({ header: 'Authorization', value: `Bearer ${secret}`, scheme: 'bearer', secret })
    else load({ header: keyHeader, value: secret, scheme: 'apiKey', secret })
  })
  place.replaceChildren(form)
  input.focus()
}
