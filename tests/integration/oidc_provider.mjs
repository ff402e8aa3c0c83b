// A real OpenID provider with one client and one person at a time. Its own pages are replaced: whoever comes is signed in
// as the person that the last POST to /person named, with the methods ("amr") named there.
import http from 'node:http';
import { pathToFileURL } from 'node:url';

const { default: Provider } = await import(pathToFileURL(process.env.OIDC_PROVIDER));
const port = Number(process.env.PORT);
const issuer = `http://127.0.0.1:${port}`;
let person = { sub: 'nobody', claims: {}, amr: undefined, cancel: false };

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: process.env.CLIENT_ID,
      client_secret: process.env.CLIENT_SECRET,
      redirect_uris: [process.env.REDIRECT_URI],
      backchannel_logout_uri: process.env.LOGOUT_URI,
      backchannel_logout_session_required: true,
      token_endpoint_auth_method: process.env.AUTH_METHOD,
      grant_types: ['authorization_code'],
      response_types: ['code'],
    },
  ],
  claims: { openid: ['sub', 'amr', 'auth_time'], email: ['email', 'email_verified'], profile: ['given_name', 'family_name', 'groups'] },
  cookies: { keys: ['a key of the integration test'] },
  features: { backchannelLogout: { enabled: true }, devInteractions: { enabled: false } },
  // The provider refuses to call a loopback address, where the desk of the test is.
  fetch: (url, { dispatcher, ...options }) => globalThis.fetch(url, options),
  findAccount: async (ctx, sub) => ({ accountId: sub, claims: async () => ({ sub, ...person.claims }) }),
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  pkce: { required: () => true },
});

provider.on('backchannel.success', (ctx, client, sub) => console.log(`logout of ${sub} was told to ${client.clientId}`));
provider.on('backchannel.error', (ctx, error) => console.log(`logout was not told: ${error.message} ${error.cause}`));

async function interact(request, response) {
  const { prompt, params, grantId } = await provider.interactionDetails(request, response);
  if (person.cancel) {
    return provider.interactionFinished(request, response, { error: 'access_denied' });
  }
  if (prompt.name === 'login') {
    const login = { accountId: person.sub, amr: person.amr, remember: false };
    return provider.interactionFinished(request, response, { login });
  }
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: person.sub, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const consent = { grantId: await grant.save() };
  return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
}

async function setPerson(request, response) {
  let text = '';
  for await (const part of request) text += part;
  person = JSON.parse(text);
  response.writeHead(204).end();
}

const callback = provider.callback();
http
  .createServer((request, response) => {
    const own = request.url === '/person' ? setPerson : request.url.startsWith('/interaction/') ? interact : null;
    if (!own) return callback(request, response);
    return own(request, response).catch((error) => response.writeHead(500).end(String(error.stack)));
  })
  .listen(port, '127.0.0.1');
