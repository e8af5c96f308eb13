/** One task, opened: its way, what it was created with, its callbacks; ended by hand. */

import { tree } from '../body.js';
import { button, fill, h, icon } from '../dom.js';
import { brief, cloud, iso, short, span, time } from '../format.js';
import { attempts, card, codes, folded, head, pill, standing } from './request.js';

const MOODS = { succeeded: 'ok', failed: 'bad', vanished: 'warn' };

/** Show a task in `panel`, and go on showing it as it changes. @returns {() => void} ends it */
export function taskDetail(context, id, panel) {
  const { api, store, t } = context;
  let last = '';
  let ended = false;
  let loading = false;
  let again = false;

  async function load() {
    if (loading) {
      again = true;
      return;
    }
    loading = true;
    try {
      const task = await api.get(`tasks/${encodeURIComponent(id)}`);
      const said = JSON.stringify(task);
      if (ended || said === last) return;
      last = said;
      const top = panel.scrollTop;
      fill(panel, draw(context, task, load));
      panel.scrollTop = top;
    } catch (error) {
      if (!ended) fill(panel, h('div.empty', {}, h('p', {}, error.message), context.shut && button({ text: t('close.panel'), act: context.shut })));
    } finally {
      loading = false;
      if (again && !ended) {
        again = false;
        setTimeout(load, 400);
      }
    }
  }

  const unsubscribe = store.subscribe((heard) => {
    if (['task', 'delivery', 'clock', 'reset', 'load'].some((kind) => heard.has(kind)) && !document.querySelector('dialog[open]')) load();
  });
  load();
  return () => {
    ended = true;
    unsubscribe();
  };
}

function draw(context, task, reload) {
  const { t, store } = context;
  const { timeline } = task;
  const over = task.status in MOODS;
  const percent = task.status === 'running' || task.status === 'uploading' ? ` ${task.percent} %` : '';
  const requests = store.rows.filter((row) => row.kind === 'request' && row.tasks.includes(task.id)).slice(-40);
  const creating = store.rows.find((row) => row.id === `t${task.id}`)?.request;
  return h('article.detail', {},
    head(context, {
      kind: 'task', title: short(task.operation),
      pills: [pill(t(`task.${task.status}`) + percent, MOODS[task.status] ?? 'plain'), timeline.outcome === 'fail' && pill(String(timeline.code), 'bad', t('task.code'))],
      sub: [h('span', {}, cloud(task.operation)), h('code', {}, task.id)], at: timeline.start,
      acts: over ? [] : [
        button({ text: t('force.succeed'), icon: 'check', act: () => force(context, task, 'succeed', reload) }),
        button({ text: t('force.fail'), icon: 'cross', act: () => failDialog(context, task, reload) }),
        button({ text: t('force.vanish'), act: () => force(context, task, 'vanish', reload), class: 'quiet', title: t('force.vanish.title') }),
      ],
    }),
    stages(context, timeline),
    creating ? h('p.chips', {}, h('a.chip', { href: context.address('flow', 'r', creating) }, icon('request'), t('task.created', { number: creating }))) : null,
    card(t('task.callbacks', { count: task.deliveries.length }),
      task.deliveries.length ? h('ol.sendings', {}, task.deliveries.map((row) => sending(context, row))) : h('p.nothing', {}, t('task.nocallbacks'))),
    requests.length > 0 && card(t('task.polls', { count: requests.length }), h('ol.sendings', {}, requests.map((row) => h('li', {},
      h('a.open', { href: context.address('flow', 'r', row.number) }, h('time', { title: iso(row.at) }, time(row.at)), h('b', {}, short(row.operation)),
        pill(String(row.code ?? row.status), row.code === null ? 'ok' : 'warn')))))),
    folded(t('task.parameters'), h('div.json', {}, tree(task.parameters)), true));
}

function sending(context, row) {
  const { t } = context;
  return h('li', {},
    h('a.open', { href: context.address('flow', 'd', row.number) },
      h('time', { title: iso(row.due) }, time(row.due)), h('b', {}, t(`event.${row.event}`)),
      pill(t(`delivery.${row.status}`), standing(row.status)), row.chaos.map((label) => pill(label, 'chaos'))),
    row.attempts.length > 0 && h('details.folded', {}, h('summary', {}, t('attempts', { count: row.attempts.length })), attempts(context, row)));
}

function stages(context, timeline) {
  const { t } = context;
  const known = (at) => (at === null || at === undefined || !Number.isFinite(at) ? '—' : time(at));
  const parts = [['queue', timeline.start, timeline.run], ['run', timeline.run, timeline.upload], ['upload', timeline.upload, timeline.end]];
  return h('dl.stages', {}, parts.map(([name, from, to]) => h('div', { class: name }, h('dt', {}, t(`stage.${name}`)), h('dd', {}, known(from), h('small', {}, to > from ? span(to - from) : '')))),
    h('div.end', {}, h('dt', {}, t('stage.end')), h('dd', {}, known(timeline.end), h('small', {}, t(`outcome.${timeline.outcome}`)))));
}

async function force(context, task, outcome, reload) {
  const done = await context.attempt(() => context.api.post(`tasks/${encodeURIComponent(task.id)}/force`, { outcome }));
  if (!done) return false;
  context.toast(context.t('force.done', { status: context.t(`task.${done.status}`) }));
  reload();
  return true;
}

/** Choose a code to fail with, by number or by words of either language. */
async function failDialog(context, task, reload) {
  const { t, store } = context;
  const of = cloud(task.operation);
  const lists = store.failures[of] ?? [];
  const rows = (await codes(context)).filter((row) => row.cloud === of && lists.includes(row.list) && row.code);
  const search = h('input', { type: 'search', id: 'fail-search', role: 'combobox', 'aria-expanded': 'true', 'aria-controls': 'fail-codes', 'aria-autocomplete': 'list', placeholder: t('fail.search'), on: { input: show, keydown: press } });
  const list = h('ul.codes', { id: 'fail-codes', role: 'listbox', 'aria-label': t('fail.list') });
  const dialog = h('dialog.box', { 'aria-labelledby': 'fail-title', on: { close: () => dialog.remove() } },
    h('h2', { id: 'fail-title' }, t('fail.title')), h('p.sub', {}, h('code', {}, brief(task.id, 30))),
    h('label', { for: 'fail-search' }, t('fail.label')), search, list,
    h('div.acts', {}, button({ text: t('cancel'), act: () => dialog.close() })));
  let place = 0;

  function fitting() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    return rows.filter((row) => words.every((word) => `${row.code} ${row.text} ${row.gloss}`.toLowerCase().includes(word)));
  }

  function show() {
    const fit = fitting();
    place = Math.max(0, Math.min(place, fit.length - 1));
    fill(list, fit.map((row, at) => h('li', { role: 'option', id: `fail-${at}`, 'aria-selected': String(at === place), on: { click: () => take(row) } },
      h('code', {}, String(row.code)), h('span', {}, row.text), row.gloss && row.gloss !== row.text && h('small', {}, row.gloss))),
    fit.length === 0 && h('li.nothing', { role: 'option', 'aria-selected': 'false', 'aria-disabled': 'true' }, t('fail.none')));
    if (fit.length) search.setAttribute('aria-activedescendant', `fail-${place}`);
    else search.removeAttribute('aria-activedescendant');
    list.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
  }

  function press(event) {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) {
      place += by;
      event.preventDefault();
      show();
    } else if (event.key === 'Enter') {
      event.preventDefault();
      const row = fitting()[place];
      if (row) take(row);
    }
  }

  async function take(row) {
    if (await force(context, task, { fail: row.code }, reload)) dialog.close();
  }

  document.body.append(dialog);
  show();
  dialog.showModal();
  search.focus();
}
