/** A call as other programs make it: for a shell, for Python, for a test, for a rule file. */

import { cloud, short } from './format.js';

/** Signs of a value beyond which a sample says where it comes from instead. */
const LONG = 2000;

/** @typedef {{operation: string, method: string, url: string, target: string, headers: Object<string, string>, body: string, note: string, apiKey: string, origin: string, parameters: any}} Draft */

/** Each way to say a call. @type {Object<string, (draft: Draft, answered: any, t: (key: string, values?: any) => string) => string>} */
export const COPIES = { curl, python, pytest, rule };

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const plainly = (text) => /^[A-Za-z0-9_-]+$/.test(text);

function curl(draft, _, t) {
  const lines = [`curl -sS -X ${draft.method} ${quoted(draft.url)}`];
  if (!draft.body) return lines[0];
  const form = draft.headers['Content-Type']?.includes('urlencoded');
  const first = [];
  if (form) {
    for (const [name, value] of new URLSearchParams(draft.body)) {
      if (value.length > LONG) {
        first.push(`base64 -w0 ${name === 'pdf_file' ? 'paper.pdf' : 'picture.png'} > ${name}.b64   # ${t('sample.file')}`);
        lines.push(`--data-urlencode ${name}@${name}.b64`);
      } else lines.push(`--data-urlencode ${quoted(`${name}=${value}`)}`);
    }
  } else {
    for (const [name, value] of Object.entries(draft.headers)) lines.push(`-H ${quoted(`${name}: ${value}`)}`);
    lines.push(`--data-binary ${quoted(draft.body)}`);
  }
  const until = draft.url.includes('X-Amz-Signature') ? [`# ${t('sample.signed')}`] : [];
  return [...until, ...first, lines.join(' \\\n  ')].join('\n');
}

/** A value as Python writes it. */
export function literal(value, indent = 0) {
  if (value === null || value === undefined) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (typeof value !== 'object') return JSON.stringify(value);
  const list = Array.isArray(value);
  const parts = list ? value.map((each) => literal(each, indent + 4)) : Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${literal(each, indent + 4)}`);
  const [opening, closing] = list ? '[]' : '{}';
  const flat = `${opening}${parts.join(', ')}${closing}`;
  if (flat.length + indent <= 90 && !flat.includes('\n')) return flat;
  const space = ' '.repeat(indent + 4);
  return `${opening}\n${parts.map((part) => `${space}${part},\n`).join('')}${' '.repeat(indent)}${closing}`;
}

function python(draft, _, t) {
  return cloud(draft.operation) === 'kingsoft' ? kingsoft(draft, t) : baidu(draft, t);
}

function kingsoft(draft, t) {
  const query = new URLSearchParams(draft.url.split('?')[1]);
  const [key = '', , region = 'cn-beijing-6', service = 'kvs'] = (query.get('X-Amz-Credential') ?? '').split('/');
  const own = Object.fromEntries([...query].filter(([name]) => !name.startsWith('X-Amz-') && name !== 'Action' && name !== 'Version'));
  const body = draft.body ? literal(JSON.parse(draft.body)) : null;
  return `import hashlib, hmac, json, time, urllib.request
from urllib.parse import quote

URL, HOST = ${JSON.stringify(draft.origin)}, ${JSON.stringify(draft.origin.split('://')[1])}
# ${t('sample.secret')}
ACCESS_KEY, SECRET_KEY = ${JSON.stringify(key || 'any')}, "any"


def call(action, query=(), document=None):
    body = b"" if document is None else json.dumps(document).encode()
    method = "GET" if document is None else "POST"
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    scope = [stamp[:8], ${JSON.stringify(region)}, ${JSON.stringify(service)}, "aws4_request"]
    pairs = {**dict(query), "Action": action, "Version": ${JSON.stringify(query.get('Version'))}, "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
             "X-Amz-Credential": "/".join([ACCESS_KEY, *scope]), "X-Amz-Date": stamp, "X-Amz-SignedHeaders": "host"}
    text = "&".join(f"{quote(name, safe='-_.~')}={quote(str(pairs[name]), safe='-_.~')}" for name in sorted(pairs))
    request = "\\n".join([method, "/", text, f"host:{HOST}\\n", "host", hashlib.sha256(body).hexdigest()])
    signed = "\\n".join(["AWS4-HMAC-SHA256", stamp, "/".join(scope), hashlib.sha256(request.encode()).hexdigest()])
    key = f"AWS4{SECRET_KEY}".encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    text += "&X-Amz-Signature=" + hmac.digest(key, signed.encode(), "sha256").hex()
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(f"{URL}/?{text}", body or None, headers, method=method)) as answer:
        return json.load(answer)


print(call(${JSON.stringify(query.get('Action'))}${body ? `, document=${body}` : Object.keys(own).length ? `, query=${literal(own)}` : ''}))
`;
}

function baidu(draft, t) {
  const own = new URLSearchParams(draft.body);
  const head = `import base64, json, urllib.parse, urllib.request

URL = ${JSON.stringify(draft.origin)}
# ${t('sample.keys')}
API_KEY, SECRET_KEY = ${JSON.stringify(draft.apiKey)}, "any"


def ask(path, query, form=None):
    body = None if form is None else urllib.parse.urlencode(form).encode()
    with urllib.request.urlopen(f"{URL}{path}?{urllib.parse.urlencode(query)}", body) as answer:
        return json.load(answer)


token = ask("/oauth/2.0/token", {"grant_type": "client_credentials", "client_id": API_KEY, "client_secret": SECRET_KEY})
`;
  if (draft.operation.startsWith('baidu.oauth')) return `${head}print(token["access_token"])\n`;
  const form = [...own].map(([name, value]) => [name, value.length > LONG ? null : value]);
  const members = form.map(([name, value]) => `    ${JSON.stringify(name)}: ${value === null ? `base64.b64encode(open(${JSON.stringify(name === 'pdf_file' ? 'paper.pdf' : 'picture.png')}, "rb").read())` : JSON.stringify(value)},\n`);
  return `${head}print(ask(${JSON.stringify(draft.target.split('?')[0])}, {"access_token": token["access_token"]}, {\n${members.join('')}}))\n`;
}

function pytest(draft, _, t) {
  const name = short(draft.operation);
  const parameters = Object.fromEntries(Object.entries(draft.parameters).map(([each, value]) => [each, typeof value === 'string' && value.length > LONG ? '…' : value]));
  const large = Object.values(parameters).includes('…') ? `    # ${t('sample.file')}: "…"\n` : '';
  return `import urllib.request


def test_${name.replaceAll(/\W+/g, '_').replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase()}(emulator):
    emulator.${cloud(draft.operation)}.expect(${JSON.stringify(name)}).once()

    # ${t('sample.yours')}
${large}    call = emulator.ask("POST", "sign", document={
        "operation": ${JSON.stringify(draft.operation)},
        "parameters": ${literal(parameters, 8)},
    })
    request = urllib.request.Request(call["url"], call["body"].encode() or None, call["headers"], method=call["method"])
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
`;
}

/** A rule for requests like this one, which gives them the answer of this one. */
function rule(draft, answered, t) {
  const alike = Object.fromEntries(Object.entries(draft.parameters)
    .filter(([, value]) => typeof value !== 'object' && String(value).length <= 200)
    .map(([name, value]) => [name, { const: value }]));
  let body;
  try {
    body = JSON.parse(answered.text);
  } catch {
    body = answered?.text;
  }
  const reply = answered ? { reply: { status: answered.status, body } } : { latency: '2s' };
  return [
    `# ${answered ? t('sample.rule') : t('sample.rule.none')}`,
    'version: 1', 'rules:',
    `  - name: ${yaml(t('sample.rule.name', { operation: draft.operation }))}`,
    '    when:', `      operation: ${draft.operation}`,
    ...(Object.keys(alike).length ? ['      params:', '        properties:', ...Object.entries(alike).map(([name, value]) => `          ${plainly(name) ? name : JSON.stringify(name)}: ${JSON.stringify(value)}`)] : []),
    '    then:', ...Object.entries(reply).map(([name, value]) => `      ${name}: ${JSON.stringify(value)}`), '',
  ].join('\n');
}

/** A text as YAML: in quotes, which JSON's are. */
const yaml = (text) => JSON.stringify(text);
