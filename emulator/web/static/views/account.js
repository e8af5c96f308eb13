/** The account: what it is, its snapshot, its archive, how clients find the emulator, triggers. */

import { copyButton } from '../body.js';
import { button, fill, h, icon, save } from '../dom.js';
import { span } from '../format.js';
import { card, pill } from './request.js';

/** @param {HTMLElement} container @param {any} context */
export function mount(container, context) {
  const { t } = context;
  const facts = h('div');
  const clouds = h('div');
  const triggers = h('div');
  fill(container, h('div.cards', {},
    h('div', {}, card(t('account.facts'), facts), card(t('account.files'), h('p.sub', {}, t('account.files.text')), files(context, () => load()))),
    h('div', {}, card(t('trust'), trust(context)), card(t('clouds'), clouds)),
    card(t('triggers'), h('p.sub', {}, t('triggers.text')), triggers)));
  let ended = false;

  async function load() {
    const [account, health, offered] = await Promise.all([context.api.get(), context.root.fetch(new URL('health', document.baseURI)).then((answer) => answer.json()), context.root.get('operations')]);
    if (ended) return;
    fill(facts, factList(context, account, health));
    fill(clouds, operations(context, offered.operations));
    fill(triggers, triggerList(context, offered.triggers));
  }
  context.attempt(load);
  const unsubscribe = context.store.subscribe((heard) => (heard.has('reset') || heard.has('rule')) && context.attempt(load));
  return () => {
    ended = true;
    unsubscribe();
  };
}

function factList(context, account, health) {
  const { t } = context;
  const row = (name, ...value) => [h('dt', {}, name), h('dd', {}, value)];
  return [
    h('dl.facts', {},
      row(t('account.name'), h('code', {}, account.name)),
      Object.entries(account.credentials).map(([cloud, keys]) => row(cloud, Object.entries(keys).map(([kind, key]) => h('div', {}, h('span.sub', {}, `${kind} `), h('code', {}, key))))),
      row(t('account.seed'), h('code', {}, String(account.seed))),
      row(t('account.responses'), account.responses),
      row(t('account.holds'), t('account.counts', account)),
      row(t('account.emulator'), `${health.version} · ${t('account.up', { span: span(health.uptime) })}`)),
    health.problems.map((problem) => h('p.note.bad', {}, problem)),
    h('div.acts', {}, button({ text: t('account.reset'), icon: 'reset', class: 'danger', act: () => reset(context) })),
  ];
}

async function reset(context) {
  const { t, api } = context;
  if (!(await sure(context, t('reset.title', { name: api.name }), t('reset.text'), t('account.reset')))) return;
  if (await context.attempt(() => api.post('reset', {}))) context.toast(t('reset.done'));
}

/** @returns {Promise<boolean>} whether a person is sure */
function sure(context, title, text, yes) {
  return new Promise((give) => {
    const dialog = h('dialog.box', { 'aria-labelledby': 'sure-title', on: { close: () => (dialog.remove(), give(dialog.returnValue === 'yes')) } },
      h('h2', { id: 'sure-title' }, title), h('p', {}, text),
      h('div.acts', {}, button({ text: context.t('cancel'), act: () => dialog.close('no') }), button({ text: yes, class: 'danger', act: () => dialog.close('yes') })));
    document.body.append(dialog);
    dialog.showModal();
  });
}

function files(context, reload) {
  const { t, api, store } = context;
  const chosen = h('input.offscreen', { type: 'file', accept: 'application/json,.json', id: 'snapshot-file', tabindex: -1, 'aria-label': t('snapshot.load'), on: { change: () => read() } });

  async function read() {
    const [file] = chosen.files;
    chosen.value = '';
    if (!file) return;
    if (!(await sure(context, t('snapshot.sure', { name: api.name }), t('snapshot.sure.text', { file: file.name }), t('snapshot.load')))) return;
    const done = await context.attempt(async () => api.put('snapshot', await file.text()));
    if (!done) return;
    context.toast(t('snapshot.loaded', { file: file.name }));
    store.start();
    reload();
  }

  const stamp = () => new Date().toISOString().slice(0, 19).replaceAll(':', '');
  return h('div.acts', {},
    button({ text: t('snapshot.save'), icon: 'download', act: () => context.attempt(async () => save(`${api.name}-${stamp()}.snapshot.json`, await api.blob('snapshot'))) }),
    button({ text: t('snapshot.load'), icon: 'upload', act: () => chosen.click() }), chosen,
    button({ text: t('har.save'), icon: 'download', act: () => context.attempt(async () => save(`${api.name}-${stamp()}.har`, await api.blob('journal.har'))) }));
}

/** How a client finds the emulator. */
function trust(context) {
  const { t } = context;
  const url = location.origin;
  const texts = {
    endpoint: `export EMULATOR_URL=${url}\nexport EMULATOR_KINGSOFT_ENDPOINT=${url}\nexport EMULATOR_BAIDU_ENDPOINT=${url}`,
    proxy: `curl -s ${url}/_emulator/ca.pem -o ca.pem\ncat "$(python3 -m certifi 2>/dev/null || echo /etc/ssl/certs/ca-certificates.crt)" ca.pem > bundle.pem\nexport HTTP_PROXY=${url} HTTPS_PROXY=${url} NO_PROXY=localhost,127.0.0.1,::1\nexport SSL_CERT_FILE=$PWD/bundle.pem REQUESTS_CA_BUNDLE=$PWD/bundle.pem CURL_CA_BUNDLE=$PWD/bundle.pem\nexport NODE_EXTRA_CA_CERTS=$PWD/ca.pem`,
    cli: `eval "$(emulator env --url ${url})"\n\nemulator env --url ${url} --format dotenv > .env\nemulator env --url ${url} --format github >> "$GITHUB_ENV"`,
    compose: `environment:\n  EMULATOR_URL: "http://emulator:${location.port || 8640}"\n  EMULATOR_KINGSOFT_ENDPOINT: "http://emulator:${location.port || 8640}"\n  EMULATOR_BAIDU_ENDPOINT: "http://emulator:${location.port || 8640}"`,
  };
  const code = h('pre', { tabindex: 0, id: 'trust-text' });
  const tabs = Object.keys(texts).map((name) => button({ text: t(`trust.${name}`), pressed: false, act: () => pick(name) }));
  const text = h('p.sub');
  let now = 'endpoint';
  function pick(name) {
    now = name;
    code.textContent = texts[name];
    text.textContent = t(`trust.${name}.text`);
    Object.keys(texts).forEach((each, at) => tabs[at].setAttribute('aria-pressed', String(each === name)));
  }
  pick(now);
  return [h('div.segments', { role: 'group', 'aria-label': t('trust') }, tabs), text, code,
    h('div.acts', {}, copyButton(() => texts[now]),
      button({ text: t('trust.ca'), icon: 'download', act: () => context.attempt(async () => save('emulator-ca.pem', await context.root.text('ca.pem'), 'application/x-pem-file')) }))];
}

function operations(context, rows) {
  return h('details.folded', {}, h('summary', {}, context.t('clouds.count', { count: rows.length })), h('ul.plain', {}, rows.map((row) =>
    h('li', {}, h('code', {}, row.name), ' ', h('span.sub', {}, row.summary)))));
}

function triggerList(context, rows) {
  return h('table.grid', {}, h('thead', {}, h('tr', {}, ['trigger.word', 'trigger.does', 'trigger.clouds', 'copy'].map((key) => h('th', { scope: 'col' }, context.t(key))))),
    h('tbody', {}, rows.map((row) => h('tr', {}, h('td', {}, h('code', {}, row.word)), h('td', {}, row.summary, row.example && h('div.sub', {}, h('code', {}, row.example))),
      h('td', {}, row.clouds.map((name) => pill(name, 'plain'))), h('td', {}, copyButton(() => row.example || row.word))))));
}
