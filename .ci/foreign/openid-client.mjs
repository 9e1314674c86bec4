// openid-client tells its story line by line: what it wants of the country it writes, and reads the answer.
//
//	open URL             a citizen opens an address; the answer is the address that the pages have led to
//	operate PATH JSON    the operator posts to the management API; the answer is what came of it
//
// What an answer should be, the library itself checks; the rest is asserted here.
import assert from 'node:assert/strict'
import { createInterface } from 'node:readline'
import * as oidc from 'openid-client'

const { ISSUER: issuer, CABINET: cabinet, NOBODY: nobody } = process.env
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const ask = async (...line) => {
  console.log(line.join(' '))
  return (await answers.next()).value
}
const open = async (url) => new URL(await ask('open', url.href))
const operate = async (path, body) => JSON.parse(await ask('operate', path, JSON.stringify(body)))

const register = (metadata) =>
  operate('/clients', {
    client_name: 'Foreign', purpose: 'to be tried',
    redirect_uris: [nobody + 'cb'], post_logout_redirect_uris: [nobody + 'bye'],
    scope: 'openid profile phone offline_access cabinet.profile.read', resources: [cabinet],
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    ...metadata,
  })

// discover configures the client, which is not to trust TLS in place of signatures. Left alone it would send its secret in the form.
const discover = (client, auth = oidc.ClientSecretBasic(client.client_secret), ...execute) =>
  oidc.discovery(new URL(issuer), client.client_id, client, auth, {
    execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks, ...execute],
  })

// signIn signs the citizen in, by a request that begin makes of the parameters.
async function signIn(config, parameters, begin, options) {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier()
  const [expectedNonce, expectedState] = [oidc.randomNonce(), oidc.randomState()]
  const url = await begin({
    redirect_uri: nobody + 'cb', scope: 'openid profile offline_access',
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256',
    nonce: expectedNonce, state: expectedState, ...parameters,
  })
  let answer = await open(url)
  if (parameters.response_mode === 'form_post') {
    answer = new Request(nobody + 'cb', { method: 'POST', body: answer.searchParams })
  }
  const tokens = await oidc.authorizationCodeGrant(
    config, answer, { pkceCodeVerifier, expectedNonce, expectedState, idTokenExpected: true }, undefined, options,
  )
  const info = await oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub, options)
  assert.ok(info.family_name)
  return { tokens, info }
}

// plainly begins by a request whose parameters anybody may read.
const plainly = (config) => (parameters) => oidc.buildAuthorizationUrl(config, parameters)

const kid = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url')).kid

// story is what every client does; more is what this one does before it signs out.
async function story(config, begin, options, more = () => {}) {
  const before = (await signIn(config, {}, begin, options)).tokens
  const refreshed = await oidc.refreshTokenGrant(config, before.refresh_token, undefined, options)
  for (const alg of ['RS256', 'ES256']) await operate('/keys/rotations', { alg })
  await oidc.fetchUserInfo(config, refreshed.access_token, before.claims().sub, options)
  const after = (await signIn(config, {}, begin, options)).tokens
  assert.notEqual(kid(after.id_token), kid(before.id_token))
  await more(after)
  await oidc.tokenRevocation(config, after.refresh_token)
  await assert.rejects(oidc.refreshTokenGrant(config, after.refresh_token, undefined, options), { error: 'invalid_grant' })
  const bye = oidc.buildEndSessionUrl(config, {
    id_token_hint: before.id_token, post_logout_redirect_uri: nobody + 'bye', state: 'bye',
  })
  assert.equal((await open(bye)).href, nobody + 'bye?state=bye')
}

const stories = {
  async 'a secret'() {
    const client = await register({})
    const config = await discover(client)
    const begin = plainly(config)
    await story(config, begin, undefined, async () => {
      await signIn(config, { response_mode: 'form_post' }, begin)
      const claims = JSON.stringify({ userinfo: { phone_number: { essential: true } } })
      assert.ok((await signIn(config, { claims }, begin)).info.phone_number)
    })
  },

  async 'a device'() {
    const config = await discover(await register({}))
    const device = await oidc.initiateDeviceAuthorization(config, { scope: 'openid profile' })
    await open(new URL(device.verification_uri_complete))
    const tokens = await oidc.pollDeviceAuthorizationGrant(config, { ...device, interval: 1 })
    await oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)
  },

  async 'a resource server, which is answered in a JWT'() {
    const config = await discover(await register({}))
    const server = await register({
      grant_types: ['client_credentials'], response_types: [], redirect_uris: [], post_logout_redirect_uris: [],
      scope: 'cabinet.profile.read', resource_server: cabinet, introspection_signed_response_alg: 'ES256',
    })
    const introspect = await discover(server)
    const { tokens } = await signIn(config, { scope: 'openid profile cabinet.profile.read' }, plainly(config))
    const token = await oidc.tokenIntrospection(introspect, tokens.access_token)
    assert.ok(token.active && token.scope.includes('cabinet.profile.read'))
    await oidc.tokenRevocation(config, tokens.access_token)
    assert.deepEqual((await oidc.tokenIntrospection(introspect, tokens.access_token)).active, false)
  },

  async 'a client that registers itself'() {
    const { initial_access_token: initialAccessToken } = await operate('/initial-access-tokens', { scope: 'openid profile', uses: 1 })
    const metadata = { redirect_uris: [nobody + 'cb'], scope: 'openid profile', token_endpoint_auth_method: 'client_secret_post' }
    const config = await oidc.dynamicClientRegistration(new URL(issuer), metadata, undefined, {
      initialAccessToken, execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks],
    })
    await signIn(config, { scope: 'openid profile' }, plainly(config))
  },

  // FAPI 2.0 with Message Signing: a key in place of a secret, requests that are signed and pushed, answers that are signed, tokens that
  // are bound to a key.
  async 'FAPI 2.0'() {
    const { privateKey: key, publicKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
    const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', publicKey)
    const client = await register({
      profile: 'fapi2', require_signed_request_object: true, authorization_signed_response_alg: 'ES256',
      application_type: 'native', jwks: { keys: [{ kty, crv, x, y, kid: 'k1', alg: 'ES256', use: 'sig' }] },
    })
    const auth = oidc.PrivateKeyJwt({ key, kid: 'k1' })
    const config = await discover(client, auth, oidc.useJwtResponseMode)
    // What proves that it has the key has no good clock: each proof needs a nonce of the provider's (RFC 9449 §8).
    const slow = await discover({ ...client, [oidc.clockSkew]: -3600 }, auth)
    const options = { DPoP: oidc.getDPoPHandle(slow, await oidc.randomDPoPKeyPair('ES256')) }
    const begin = async (parameters) => {
      const signed = await oidc.buildAuthorizationUrlWithJAR(config, parameters, { key, kid: 'k1' })
      return oidc.buildAuthorizationUrlWithPAR(config, signed.searchParams, options)
    }
    await story(config, begin, options, async (tokens) => {
      assert.equal(tokens.token_type, 'dpop')
      await assert.rejects(oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)) // by who has not the key
    })
  },
}

await stories[process.argv[2]]()
process.exit()
