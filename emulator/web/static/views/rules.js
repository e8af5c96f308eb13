/** What happens next: the rules in force with their counters, a rule written with help, plans, codes and magic values. */

import { copyButton } from '../body.js';
import { button, fill, h, save } from '../dom.js';
import { cloud, short } from '../format.js';

const EFFECTS = ['plan', 'error', 'latency', 'fault', 'responses', 'reply'];
const FAULTS = ['reset', 'empty', 'truncate', 'garble', 'trickle', 'hang', '502', '503', '429'];
const TIMES = { always: null, once: { first: 1 }, second: { skip: 1, first: 1 }, third: { every: 3 }, tenth: { probability: 0.1 } };
const AFTER = 300;
const SHOWN = 200;
/** What was being written, as long as the page lives. */
const kept = { text: '', id: '' };

/** @param {HTMLElement} container @param {any} context */
export function mount(container, context) {
  const { api, root, store, t, attempt, toast } = context;
  let ended = false;
  let known = { operations: [], plans: [], errors: [], triggers: [] };
  let shared = new Set();
  let counts = new Map();
  let good = false;

  // In force

  const table = h('div.scroll', { tabindex: 0, role: 'region', 'aria-label': t('rules.force') });

  async function refresh() {
    const [mine, all] = await Promise.all([api.get('rules'), root.get('rules')]).catch(() => [null, null]);
    if (ended || !mine) return;
    shared = new Set(all.rules.map((rule) => rule.id));
    const before = counts;
    counts = new Map(mine.rules.map((rule) => [rule.id, rule.taken]));
    const fired = firings();
    fill(table,
      all.problems.length > 0 && h('p.bad', { role: 'alert' }, t('rules.files'), ' ', all.problems.map((each) => `${each.in}${each.pointer}: ${each.message}`).join('; ')),
      mine.rules.length === 0 ? h('p.nothing', {}, t('rules.none')) : h('table.grid', {},
        h('thead', {}, h('tr', {}, ['rules.when', 'rules.then', 'rules.times', 'rules.met', 'rules.acted', 'rules.from', ''].map((name) => h('th', { scope: 'col' }, name ? t(name) : h('span.offscreen', {}, t('rules.acts')))))),
        h('tbody', {}, mine.rules.map((rule) => row(rule, fired.get(rule.id) ?? [], before.size > 0 && before.get(rule.id) !== rule.taken)))));
  }

  /** The latest requests on which each rule acted. */
  function firings() {
    const found = new Map();
    for (let at = store.rows.length - 1; at >= 0 && at > store.rows.length - 2000; at--) {
      const each = store.rows[at];
      if (each.kind !== 'request') continue;
      for (const id of each.rules ?? []) {
        const rows = found.get(id) ?? [];
        if (rows.length < 3) rows.push(each.number);
        found.set(id, rows);
      }
    }
    return found;
  }

  function row(rule, fired, fresh) {
    const { rule: document } = rule;
    const ours = !shared.has(rule.id);
    const file = rule.origin !== 'admin';
    return h('tr', { class: `${fresh ? 'fresh' : ''}${rule.exhausted ? ' spent' : ''}`, data: { rule: rule.id } },
      h('td', {}, h('b', {}, rule.name), h('div.hint', {}, document.when?.operation ?? t('rules.any'), document.when?.params && h('code', {}, ` ${JSON.stringify(document.when.params)}`))),
      h('td', {}, Object.entries(document.then).map(([name, value]) => h('div', {}, h('span.effect', {}, name), ' ', h('code', {}, brief(value))))),
      h('td', {}, document.times ? h('code', {}, Object.entries(document.times).map(([name, value]) => `${name} ${value}`).join(', ')) : t('rules.always'), rule.exhausted && h('div.hint', {}, t('rules.spent')), rule.priority !== 0 && h('div.hint', {}, t('rules.priority', { priority: rule.priority }))),
      h('td.number', {}, String(rule.matched)),
      h('td.number', {}, String(rule.taken), fired.length > 0 && h('div.hint', {}, fired.map((number) => [h('a', { href: context.address('flow', 'r', String(number)) }, `#${number}`), ' ']))),
      h('td', {}, file ? h('code', {}, rule.origin) : ours ? t('rules.own') : t('rules.shared')),
      h('td', {}, h('span.acts', {},
        ours && button({ text: t('rules.edit', { name: rule.name }), icon: 'edit', bare: true, class: 'quiet', act: () => write(document, rule.id) }),
        button({ text: t('rules.copy', { name: rule.name }), icon: 'copy', bare: true, class: 'quiet', act: () => write(document) }),
        !file && button({ text: t('rules.delete', { name: rule.name }), icon: 'close', bare: true, class: 'quiet', act: () => remove(rule, ours) }))));
  }

  async function remove(rule, ours) {
    await attempt(() => (ours ? api.delete(`rules/${encodeURIComponent(rule.id)}`) : root.send('DELETE', `rules/${encodeURIComponent(rule.id)}`)));
    if (kept.id === rule.id) kept.id = '';
    refresh();
  }

  // One rule

  const operation = select('rules.operation', [], () => (effect.value === 'error' && offer(), build()));
  const effect = select('rules.effect', EFFECTS.map((name) => [name, t(`effect.${name}`)]), () => (offer(), build()));
  const value = h('span.value');
  const about = h('p.hint');
  const times = select('rules.often', Object.keys(TIMES).map((name) => [name, t(`times.${name}`)]), build);
  const priority = h('input', { type: 'number', 'aria-label': t('rules.weight'), title: t('rules.weight'), value: 0, min: -1000, max: 1000, on: { input: build } });
  const editor = h('textarea.code', { id: 'rule', rows: 14, spellcheck: 'false', 'aria-describedby': 'verdict', value: kept.text, on: { input: soon } });
  const verdict = h('div.verdict', { id: 'verdict', role: 'status' });
  const set = button({ text: t('rules.set'), icon: 'check', class: 'primary', disabled: true, act: () => keep('own') });
  const setAll = button({ text: t('rules.set.all'), disabled: true, act: () => keep('shared') });
  const replace = button({ text: t('rules.replace'), icon: 'check', class: 'primary', disabled: true, act: () => keep('replace') });
  const others = [
    copyButton(() => editor.value),
    button({ text: t('save'), icon: 'download', class: 'quiet', act: () => save('rule.json', editor.value) }),
  ];

  function select(name, options, act) {
    return h('select', { 'aria-label': t(name), title: t(name), on: { change: act } }, options.map(([key, text]) => h('option', { value: key }, text)));
  }

  /** What can be said of the chosen effect. */
  function offer(chosen) {
    const where = cloud(operation.value);
    switch (effect.value) {
      case 'plan':
        fill(value, select('effect.plan', known.plans.map((plan) => [plan.name, plan.name]), build));
        break;
      case 'error': {
        const rows = known.errors.filter((row) => row.list !== 'callback' && row.code !== 0 && (where === '*' || row.cloud === where));
        fill(value, select('effect.error', rows.map((row) => [String(row.code), `${row.code} – ${row.text || row.gloss}`]), build));
        break;
      }
      case 'fault':
        fill(value, select('effect.fault', FAULTS.map((name) => [name, t(`fault.${/^\d/.test(name) ? 'status' : name}`, { status: name })]), build));
        break;
      case 'responses':
        fill(value, select('effect.responses', [['random', 'random'], ['canned', 'canned']], build));
        break;
      case 'latency':
        fill(value, h('input', { type: 'text', 'aria-label': t('effect.latency'), value: '2s', size: 8, on: { input: build } }));
        break;
      default:
        fill(value, h('input', { type: 'number', 'aria-label': t('effect.reply'), value: 500, min: 200, max: 599, on: { input: build } }));
    }
    if (chosen !== undefined) value.firstChild.value = String(chosen);
  }

  function build() {
    const said = value.firstChild?.value ?? '';
    const number = /^\d+$/.test(said) ? Number(said) : said;
    const then = effect.value === 'reply' ? { status: number, body: { message: 'hello' }, unchecked: true } : effect.value === 'plan' || effect.value === 'latency' ? said : number;
    fill(about, effect.value === 'plan' ? known.plans.find((plan) => plan.name === said)?.summary : '');
    const often = TIMES[times.value];
    write({
      name: `${short(operation.value) === '*' ? operation.value : short(operation.value)}: ${effect.value}${typeof then === 'object' ? '' : ` ${then}`}`,
      ...(Number(priority.value) ? { priority: Number(priority.value) } : {}),
      when: { operation: operation.value },
      ...(often ? { times: often } : {}),
      then: { [effect.value]: then },
    }, kept.id);
  }

  function write(document, id = '') {
    kept.id = id;
    editor.value = JSON.stringify(document, null, 2);
    check();
  }

  let waiting = 0;
  let asked = 0;
  function soon() {
    say('wait', [t('rules.checking')]);
    clearTimeout(waiting);
    waiting = setTimeout(check, AFTER);
  }

  async function check() {
    clearTimeout(waiting);
    kept.text = editor.value;
    const mine = ++asked;
    let document;
    try {
      document = JSON.parse(editor.value);
    } catch (error) {
      if (editor.value.trim() === '') return say('', []);
      return say('bad', [t('rules.notjson', { error: error.message })]);
    }
    try {
      const found = await root.post('rules/check', document);
      if (mine !== asked || ended) return;
      say('ok', [t(`rules.good.${found.stage}`)]);
    } catch (error) {
      if (mine !== asked || ended) return;
      const problems = error.problems?.length ? error.problems.map((each) => [each.pointer && h('code', {}, each.pointer), ' ', each.message]) : [error.message];
      say('bad', problems);
    }
  }

  function say(mood, lines) {
    good = mood === 'ok';
    verdict.dataset.mood = mood;
    editor.setAttribute('aria-invalid', String(mood === 'bad'));
    fill(verdict, lines.map((line) => h('p', {}, line)));
    for (const each of [set, setAll, replace]) each.disabled = !good;
    replace.hidden = !kept.id;
    set.classList.toggle('primary', !kept.id);
  }

  async function keep(how) {
    if (!good) return;
    const document = JSON.parse(editor.value);
    const act = { own: () => api.post('rules', document), shared: () => root.post('rules', document), replace: () => api.put(`rules/${encodeURIComponent(kept.id)}`, document) };
    const made = await attempt(act[how]);
    if (!made) return;
    toast(t('rules.kept', { name: made.name }));
    if (how === 'replace') kept.id = '';
    check();
    refresh();
  }

  // Codes and magic values

  const search = h('input', { type: 'search', 'aria-label': t('errors.search'), placeholder: t('errors.search'), on: { input: showErrors } });
  const codes = h('div.scroll.low', { tabindex: 0, role: 'region', 'aria-label': t('errors.title') });
  const magic = h('div.scroll.low', { tabindex: 0, role: 'region', 'aria-label': t('triggers.title') });

  function showErrors() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = known.errors.filter((row) => {
      const text = `${row.cloud} ${row.list} ${row.code} ${row.text} ${row.gloss}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    fill(codes, h('table.grid', {},
      h('thead', {}, h('tr', {}, ['errors.code', 'errors.text', 'errors.list', 'errors.use'].map((name) => h('th', { scope: 'col' }, t(name))))),
      h('tbody', {}, rows.slice(0, SHOWN).map((row) => h('tr', {},
        h('td.number', {}, h('code', {}, String(row.code))),
        h('td', {}, row.text, row.gloss && row.gloss !== row.text && h('div.hint', {}, row.gloss)),
        h('td', {}, `${row.cloud} ${row.list}`),
        h('td', {}, row.code !== 0 && button({ text: t('errors.use'), class: 'quiet', title: t('errors.use.title', { code: row.code }), act: () => use(row) })))))),
    rows.length > SHOWN && h('p.hint', {}, t('errors.more', { count: rows.length - SHOWN })));
  }

  /** A rule with that code: a refusal, or, for a code that callbacks bring, a plan. */
  function use(row) {
    const failing = row.list === 'callback';
    const chosen = known.operations.find((each) => each.name === operation.value && each.name.startsWith(`${row.cloud}.`) && (!failing || each.starts_task));
    const fitting = chosen ?? known.operations.find((each) => each.name.startsWith(`${row.cloud}.`) && (failing ? each.starts_task : true));
    write({
      name: `${short(fitting.name)}: ${row.code}`,
      when: { operation: fitting.name },
      times: { first: 1 },
      then: failing ? { plan: { outcome: { fail: row.code, at: '80%' } } } : { error: row.code },
    });
    editor.scrollIntoView({ block: 'center' });
    editor.focus();
  }

  function showTriggers() {
    fill(magic, h('table.grid', {},
      h('thead', {}, h('tr', {}, ['triggers.word', 'triggers.does', 'triggers.where', 'triggers.copy'].map((name) => h('th', { scope: 'col' }, t(name))))),
      h('tbody', {}, known.triggers.map((row) => h('tr', {},
        h('td', {}, h('code', {}, row.word)), h('td', {}, row.summary), h('td', {}, row.clouds.join(', ')),
        h('td', {}, h('code', {}, row.example), ' ', copyButton(() => row.example)))))));
  }

  async function learn() {
    const [all, plans, errors] = await Promise.all([root.get('operations'), root.get('plans'), root.get('errors')]).catch((error) => (toast(error.message, 'bad'), []));
    if (ended || !all) return;
    known = { operations: all.operations, triggers: all.triggers, plans: plans.plans, errors: errors.errors };
    const clouds = [...new Set(all.operations.map((row) => cloud(row.name)))];
    fill(operation, all.operations.map((row) => h('option', { value: row.name }, row.name)), clouds.map((name) => h('option', { value: `${name}.*` }, t('rules.everything', { cloud: name }))), h('option', { value: '*' }, t('rules.any')));
    operation.value = 'kingsoft.CreateWaveTask';
    if (operation.selectedIndex < 0) operation.selectedIndex = 0;
    effect.value = 'plan';
    offer();
    showErrors();
    showTriggers();
    if (kept.text) check();
    else build();
  }

  fill(container, h('div.page', {},
    h('section', {}, h('div.bar', {}, h('h2', {}, t('rules.force')), h('span.gap'), button({ text: t('rules.clear'), class: 'quiet', act: async () => (await attempt(() => api.delete('rules')), refresh()) })), table),
    h('section', {}, h('h2', {}, t('rules.make')),
      h('div.builder', { role: 'group', 'aria-label': t('rules.make') }, h('span', {}, t('rules.say.when')), operation, h('span', {}, t('rules.say.then')), effect, value, h('span', {}, t('rules.say.often')), times, h('span.pair', {}, t('rules.weight'), ' ', priority), about),
      h('div.abreast', {},
        h('div', {}, h('label', { for: 'rule' }, t('rules.text')), editor),
        h('div', {}, verdict, h('div.bar', {}, replace, set, setAll), h('div.bar', {}, others), h('p.hint', {}, t('rules.hint'))))),
    h('div.halves', {},
      h('section', {}, h('div.bar', {}, h('h2', {}, t('errors.title')), search), codes),
      h('section', {}, h('h2', {}, t('triggers.title')), h('p.hint', {}, t('triggers.hint')), magic))));
  say('', []);
  learn();
  refresh();
  let due = 0;
  const unsubscribe = store.subscribe((heard) => {
    if (!['request', 'rule', 'reset', 'load', 'filled'].some((kind) => heard.has(kind)) || due) return;
    due = setTimeout(() => ((due = 0), refresh()), 250);
  });
  return () => {
    ended = true;
    unsubscribe();
    clearTimeout(waiting);
    clearTimeout(due);
  };
}

function brief(value) {
  const text = JSON.stringify(value);
  return text.length > 160 ? `${text.slice(0, 159)}…` : text;
}
