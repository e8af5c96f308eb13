/** Try it: a form per operation, a call of it that is really signed, its answer, and the same call for programs. */

import { bodyView, copyButton } from '../body.js';
import { button, fill, h, save } from '../dom.js';
import { cloud, mood, short, span } from '../format.js';
import { formOf, pictureField } from '../forms.js';
import { COPIES } from '../samples.js';

const PICTURES = new Set(['image', 'pdf_file']);
const IDS = { TaskID: true, ProcessTaskId: true };
const SHOWN = 3000;
/** What was filled in, by account and operation, as long as the page lives. */
const kept = { operation: '', values: new Map(), copy: 'curl' };

/** @param {HTMLElement} container @param {any} context */
export function mount(container, context) {
  const { api, root, t, attempt, account } = context;
  let ended = false;
  let operations = [];
  let form = null;
  let schema = null;
  let area = null;
  let draft = null;
  let answered = null;
  let turn = 0;
  let loads = 0;
  let waiting = 0;
  let who = null;

  const pick = h('select', { id: 'operation', on: { change: () => context.navigate('tryit', pick.value) } });
  const about = h('p.hint');
  const place = h('div.place');
  const asJson = button({ text: t('try.json'), class: 'toggle', pressed: false, act: flip });
  const again = button({ text: t('try.example'), class: 'quiet', act: () => (kept.values.delete(key()), load()) });
  const send = button({ text: t('try.send'), icon: 'play', class: 'primary', title: t('try.send.title'), act: go });
  const origin = h('input', { id: 'origin', type: 'url', value: location.origin, spellcheck: 'false', on: { input: () => soon() } });
  const note = h('div.notice', { hidden: true });
  const copies = h('section.copies', { 'aria-label': t('try.copies') });
  const answer = h('section.answer', { 'aria-label': t('try.answer'), 'aria-live': 'polite' });
  fill(container, h('div.workbench', {},
    h('section.ask', { 'aria-label': t('try.ask') },
      h('div.field', {}, h('label', { for: 'operation' }, t('try.operation')), pick, about),
      h('div.bar', {}, h('h2', {}, t('try.parameters')), h('span.gap'), again, asJson),
      place,
      h('details.more', {}, h('summary', {}, t('try.where')), h('div.field', {}, h('label', { for: 'origin' }, t('try.origin')), origin, h('p.hint', {}, t('try.origin.hint')))),
      h('div.bar.sends', {}, send, h('span.hint', {}, t('try.keys')))),
    h('div.results', {}, note, answer, copies)));
  container.addEventListener('keydown', pressed);

  const key = () => `${account} ${pick.value}`;
  const values = () => (area ? JSON.parse(area.value || '{}') : form.read());

  function pressed(event) {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) go();
  }

  async function list() {
    const found = await attempt(() => root.get('operations'));
    if (!found || ended) return;
    operations = found.operations;
    const groups = Map.groupBy ? Map.groupBy(operations, (row) => cloud(row.name)) : grouped(operations);
    fill(pick, [...groups].map(([name, rows]) => h('optgroup', { label: name }, rows.map((row) => h('option', { value: row.name }, `${short(row.name)} – ${row.summary}`)))));
    choose(context.rest[0]);
  }

  function choose(name) {
    const known = operations.some((row) => row.name === name);
    pick.value = known ? name : kept.operation || 'kingsoft.CreateWaveTask';
    if (pick.selectedIndex < 0) pick.selectedIndex = 0;
    load();
  }

  /** The form of the operation that was picked, with what was filled in before, else with its example. */
  async function load() {
    kept.operation = pick.value;
    clearTimeout(waiting);
    schema = null;
    const mine = ++loads;
    const found = await attempt(() => root.get(`operations/${encodeURIComponent(pick.value)}`));
    if (!found || ended || mine !== loads) return;
    fill(about, `${found.methods.join(', ')} ${found.wire} · ${found.source}`);
    answered = null;
    draft = null;
    fill(copies);
    fill(answer, h('p.nothing', {}, t('try.none')));
    const given = kept.values.get(key()) ?? (await filled(found.example));
    if (ended || mine !== loads) return;
    schema = found;
    build(given);
    await pictures();
    if (mine === loads) prepare();
  }

  /** Wait until the pictures that were chosen are read. */
  function pictures() {
    return Promise.all([...place.querySelectorAll('.chooser')].map((each) => each.ready));
  }

  /** The example, with the ids of what there really is. */
  async function filled(example) {
    const value = { ...example };
    const wanted = Object.keys(value).find((name) => IDS[name]);
    if (wanted) {
      const { tasks } = await api.get('tasks', { limit: 1 }).catch(() => ({ tasks: [] }));
      if (tasks.length && wanted === 'TaskID') value[wanted] = tasks[0].id;
    }
    return value;
  }

  function build(given) {
    area = null;
    asJson.setAttribute('aria-pressed', 'false');
    const special = (name, part, value, id) => (PICTURES.has(name) && cloud(pick.value) === 'baidu' ? pictureField(value, id, name === 'image') : null);
    const shown = cloud(pick.value) === 'baidu' && schema.parameters.properties.image ? { ...schema.parameters, required: [...(schema.parameters.required ?? []), 'image'] } : schema.parameters;
    form = formOf(shown, given, changed, special);
    fill(place, form.element);
    // a recognition without a picture tries nothing: begin with the one that is at hand
    const chooser = place.querySelector('.chooser button');
    if (chooser && !given.image && !given.url) chooser.click();
  }

  function flip() {
    if (area) {
      let given;
      try {
        given = values();
      } catch (error) {
        return context.toast(t('try.notjson', { error: error.message }), 'bad');
      }
      return build(given);
    }
    const given = form.read();
    area = h('textarea.code', { rows: 18, spellcheck: 'false', 'aria-label': t('try.parameters'), value: JSON.stringify(given, null, 2), on: { input: changed } });
    asJson.setAttribute('aria-pressed', 'true');
    fill(place, area);
  }

  function changed() {
    try {
      kept.values.set(key(), values());
    } catch { /* half typed */ }
    soon();
  }

  function soon() {
    clearTimeout(waiting);
    waiting = setTimeout(prepare, 350);
  }

  /** Have the call made up, and show it. @returns {Promise<any>} */
  async function prepare() {
    if (!schema) return null;
    let parameters;
    try {
      parameters = values();
    } catch {
      return null;
    }
    const mine = ++turn;
    const base = /^https?:\/\/[^/?#@\s]+$/.test(origin.value) ? origin.value : location.origin;
    const made = await attempt(() => api.post('sign', { operation: pick.value, parameters, origin: base }));
    if (!made || ended || mine !== turn) return null;
    const { credentials } = (who ??= await api.get(''));
    draft = { ...made, parameters, origin: base, apiKey: credentials.baidu?.api_key ?? account };
    show();
    return draft;
  }

  function show() {
    note.hidden = !draft.note;
    fill(note, h('p', {}, draft.note), button({ text: t('try.make'), class: 'quiet', act: make }));
    const tabs = Object.keys(COPIES).map((name) => button({ text: t(`try.as.${name}`), class: 'toggle', pressed: kept.copy === name, act: () => {
      kept.copy = name;
      show();
    } }));
    const text = COPIES[kept.copy](draft, answered, t);
    fill(copies,
      h('div.bar', {}, h('h2', {}, t('try.copies')), h('span.segments', { role: 'group', 'aria-label': t('try.copies') }, tabs), h('span.gap'), copyButton(() => text),
        kept.copy === 'rule' && button({ text: t('save'), icon: 'download', class: 'quiet', act: () => save('rule.yaml', text, 'application/yaml') })),
      h('pre.code', { tabindex: 0, 'aria-label': t(`try.as.${kept.copy}`) }, text.length > SHOWN * 4 ? `${text.slice(0, SHOWN)}…` : text));
  }

  /** An account with secrets of its own, and over to it. */
  async function make() {
    const made = await attempt(() => root.post('accounts', {}));
    if (!made) return;
    kept.values.set(`${made.name} ${pick.value}`, values());
    await context.lookForAccounts();
    location.hash = `#/${encodeURIComponent(made.name)}/tryit/${encodeURIComponent(pick.value)}`;
  }

  async function go() {
    clearTimeout(waiting);
    send.disabled = true;
    try {
      await pictures();
      const made = await prepare();
      if (!made) return;
      if (made.origin !== location.origin) return context.toast(t('try.elsewhere', { origin: made.origin }), 'bad');
      await call(made);
    } finally {
      send.disabled = false;
    }
  }

  async function call(made) {
    const began = performance.now();
    const options = { method: made.method, headers: made.headers, credentials: 'omit', cache: 'no-store', redirect: 'manual' };
    if (made.body && made.method !== 'GET') options.body = made.body;
    fill(answer, h('p.wait', {}, t('wait')));
    let got;
    let text = '';
    try {
      got = await fetch(made.target, options);
      text = await got.text();
    } catch (error) {
      fill(answer, h('p.bad', { role: 'alert' }, got ? t('try.broken', { error: error.message }) : t('try.nothing', { error: error.message })));
      return;
    }
    if (ended) return;
    const took = (performance.now() - began) / 1000;
    const reason = unescaped(got.headers.get('X-Emulator-Reason') ?? '');
    answered = { status: got.status, type: got.headers.get('Content-Type') ?? '', text, reason };
    const links = h('span.links');
    fill(answer,
      h('div.bar', {}, h('h2', {}, t('try.answer')), h('span.pill', { class: mood(got.status, reason || null) }, String(got.status)), h('span.hint', {}, span(took)), h('span.gap'), links),
      reason && h('p.reason', {}, h('b', {}, t('try.reason')), ' ', reason),
      bodyView(text, answered.type));
    show();
    const { requests } = await api.get('requests', { limit: 1, operation: made.operation }).catch(() => ({ requests: [] }));
    const number = got.headers.get('X-Emulator-Request') ?? requests[0]?.number;
    if (ended || number === undefined || made.account !== account) return;
    fill(links,
      h('a', { href: context.address('flow', 'r', String(number)) }, t('try.journal', { number })),
      made.operation.includes('iocr') && got.ok && h('a', { href: context.address('recognition', String(number)) }, t('try.boxes')));
  }

  list();
  const end = () => {
    ended = true;
    clearTimeout(waiting);
    container.removeEventListener('keydown', pressed);
  };
  end.update = (rest) => choose(rest[0]);
  return end;
}

function grouped(rows) {
  const groups = new Map();
  for (const row of rows) groups.set(cloud(row.name), [...(groups.get(cloud(row.name)) ?? []), row]);
  return groups;
}

/** A reason as it was before it went through a header. */
function unescaped(text) {
  return text.replace(/\\u([0-9a-f]{4})|\\x([0-9a-f]{2})/g, (_, long, brief) => String.fromCharCode(parseInt(long ?? brief, 16)));
}
