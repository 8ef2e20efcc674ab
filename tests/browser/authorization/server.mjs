// An EHR's authorization server, which issues SMART launches, and the door of its FHIR server, which opens by its tokens alone.
//
// OAuth and OpenID Connect are oidc-provider's, a certified server: PKCE, client authentication, codes that are good once, ID tokens,
// the iss of the answer. What SMART adds stands here: smart-configuration, launch, aud, the patient of a launch in the token response,
// and patient/ scopes at the FHIR server, whose resources come from the server behind it.
//
// Each client has a FHIR server of its own, /<client_id>/r4. Its pages stand under localhost and the app under 127.0.0.1, which to a
// browser are two sites, as an EHR and an app are.
//
// Started with one JSON text: {port, upstream, clients, launches: {launch: patient or null}, known: [patients]}.

import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const { port, upstream, clients, launches, known } = JSON.parse(process.argv[2]);
const origin = `http://localhost:${port}`;
const patients = new Map(); // by the grant
const opened = new Map(); // by the access token: patient and scopes
const kinds = ['AllergyIntolerance', 'Condition', 'DiagnosticReport', 'DocumentReference', 'Immunization', 'MedicationRequest',
  'MedicationStatement', 'Observation', 'Patient', 'Procedure', 'ServiceRequest'];
const scopes = ['openid', 'fhirUser', 'launch', 'launch/patient', ...kinds.map((kind) => `patient/${kind}.rs`)];

const provider = new Provider(origin, {
  clients,
  scopes,
  pkce: { required: () => true },
  extraParams: ['launch', 'aud'],
  cookies: { keys: ['for tests only'] },
  enabledJWA: { clientAuthSigningAlgValues: ['ES384', 'RS384'] },
  features: { devInteractions: { enabled: false }, resourceIndicators: { enabled: false } },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  interactions: { url: (_, interaction) => `/sign-in/${interaction.uid}` },
  // Each launch is a grant of its own, for its own patient.
  loadExistingGrant: (ctx) => ctx.oidc.result?.consent?.grantId && provider.Grant.find(ctx.oidc.result.consent.grantId),
  ttl: { AccessToken: 300, AuthorizationCode: 60, Grant: 600, IdToken: 300, Interaction: 600, Session: 600 },
});

provider.use(async (ctx, next) => {
  await next();
  if (ctx.oidc?.route !== 'token' || ctx.status !== 200) return;
  const patient = patients.get(ctx.oidc.entities.AuthorizationCode.grantId);
  opened.set(ctx.body.access_token, { patient, scopes: ctx.body.scope.split(' ') });
  ctx.body = { ...ctx.body, ...(patient && { patient }), need_patient_banner: true };
});

const html = (response, status, text) => response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8' })
  .end(`<!doctype html><html lang="en"><head><link rel="icon" href="data:,"><title>EHR</title></head><body>${text}</body></html>`);

async function signIn(request, response) {
  const { uid, params } = await provider.interactionDetails(request, response);
  if (params.aud !== `${origin}/${params.client_id}/r4` || (params.launch && !(params.launch in launches))) {
    return provider.interactionFinished(request, response, { error: 'invalid_request', error_description: 'aud or launch' });
  }
  if (request.method === 'GET') {
    const choice = params.launch ? '' : `<label>Patient <select name="patient">${known.map((id) => `<option>${id}</option>`).join('')}</select></label>`;
    return html(response, 200, `<h1>Sign in</h1><p>${params.client_id} asks for ${params.scope}</p><form method="post" action="/sign-in/${uid}">${choice}
      <button name="as" value="all">Allow</button> <button name="as" value="some">Allow without conditions</button> <button name="as" value="no">Refuse</button></form>`);
  }
  let body = '';
  for await (const piece of request) body += piece;
  const form = new URLSearchParams(body);
  if (form.get('as') === 'no') return provider.interactionFinished(request, response, { error: 'access_denied', error_description: 'refused' });
  const grant = new provider.Grant({ accountId: 'dr-test', clientId: params.client_id });
  for (const scope of params.scope.split(' ')) {
    if (form.get('as') === 'some' && scope.startsWith('patient/Condition')) grant.rejectOIDCScope(scope); else grant.addOIDCScope(scope);
  }
  const grantId = await grant.save();
  patients.set(grantId, params.launch ? launches[params.launch] : form.get('patient'));
  return provider.interactionFinished(request, response, { login: { accountId: 'dr-test' }, consent: { grantId } });
}

const configuration = {
  issuer: origin,
  jwks_uri: `${origin}/jwks`,
  authorization_endpoint: `${origin}/auth`,
  token_endpoint: `${origin}/token`,
  token_endpoint_auth_methods_supported: ['client_secret_basic', 'private_key_jwt'],
  token_endpoint_auth_signing_alg_values_supported: ['ES384', 'RS384'],
  scopes_supported: scopes,
  response_types_supported: ['code'],
  code_challenge_methods_supported: ['S256'],
  authorization_response_iss_parameter_supported: true,
  grant_types_supported: ['authorization_code'],
  capabilities: ['launch-ehr', 'launch-standalone', 'client-public', 'client-confidential-symmetric', 'client-confidential-asymmetric',
    'context-ehr-patient', 'context-standalone-patient', 'sso-openid-connect', 'permission-patient', 'permission-v2'],
};

// The FHIR server: only with a token of ours that is alive, for its patient, and for what it may read.
async function chart(request, response) {
  const token = (request.headers.authorization ?? '').replace(/^Bearer /, '');
  const access = (await provider.AccessToken.find(token)) && opened.get(token);
  const behind = request.url.slice(request.url.indexOf('/r4') + '/r4'.length);
  const target = decodeURIComponent(behind.slice(1));
  const [kind] = target.split(/[/?]/);
  const patient = target.startsWith('Patient/') ? target.slice('Patient/'.length) : new URLSearchParams(target.split('?')[1]).get('patient');
  if (target === 'metadata') return response.writeHead(200).end('{}');
  if (!access) return response.writeHead(401).end();
  if (!access.scopes.includes(`patient/${kind}.rs`) || patient !== access.patient) return response.writeHead(403).end();
  const found = await fetch(upstream + behind);
  return response.writeHead(found.status, { 'Content-Type': 'application/fhir+json' }).end(Buffer.from(await found.arrayBuffer()));
}

const callback = provider.callback();
const json = (response, value) => response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));

function answer(request, response) {
  const { pathname, searchParams } = new URL(request.url, origin);
  if (pathname.endsWith('/r4/.well-known/smart-configuration')) return json(response, configuration);
  if (pathname.includes('/r4/')) return chart(request, response);
  if (pathname.startsWith('/sign-in/')) return signIn(request, response);
  if (pathname === '/chart') return html(response, 200, `<h1>Chart</h1><iframe title="App" width="1000" height="700" src="${searchParams.get('app')}"></iframe>`);
  return callback(request, response);
}

createServer((request, response) => {
  Promise.resolve(answer(request, response)).catch((error) => { console.error(error); if (!response.headersSent) html(response, 500, 'failed'); });
}).listen(port, '127.0.0.1');
