/** The live flow: requests, tasks and callbacks as they happen, the newest on top. */

import { add, button, copy, fill, h, icon } from '../dom.js';
import { brief, cloud, iso, mood, short, time } from '../format.js';
import { condition } from '../store.js';
import { VirtualList } from '../virtual.js';
import { deliveryDetail, present, requestDetail, standing } from './request.js';
import { taskDetail } from './task.js';

const KINDS = ['request', 'task', 'delivery', 'clock'];
const HEIGHT = 34;
const kept = { typed: '', off: new Set(), refused: false, bodies: false };

/** @param {HTMLElement} container @param {any} context */
export function mount(container, context) {
  const { store, api, t, keys } = context;
  let held = null;
  let found = null;
  let seeking = 0;
  let open = '';

  const list = new VirtualList({
    label: t('flow.list'), height: HEIGHT, key: (row) => row.id, version: (row) => row.v, anchored: true,
    draw: (row, element) => drawRow(context, row, element),
    open: (row) => ({ request: () => show('r', row.number), delivery: () => show('d', row.number), task: () => show('t', row.task) })[row.kind]?.(),
  });
  const search = h('input', { type: 'search', placeholder: t('flow.search'), 'aria-label': t('flow.search'), title: t('flow.search.title'), value: kept.typed, on: {
    input: () => ((kept.typed = search.value), seek(), refresh()),
    keydown: (event) => event.key === 'Enter' && list.element.focus(),
  } });
  const kinds = KINDS.map((kind) => button({ text: t(`kind.${kind}`), icon: kind === 'delivery' ? 'callback' : kind, class: `toggle ${kind}`, pressed: !kept.off.has(kind), act: (event) => {
    if (!kept.off.delete(kind)) kept.off.add(kind);
    event.currentTarget.setAttribute('aria-pressed', String(!kept.off.has(kind)));
    refresh();
  } }));
  const refused = button({ text: t('flow.refused'), icon: 'cross', class: 'toggle', pressed: kept.refused, title: t('flow.refused.title'), act: () => {
    kept.refused = !kept.refused;
    refused.setAttribute('aria-pressed', String(kept.refused));
    refresh();
  } });
  const bodies = button({ text: t('flow.bodies'), icon: 'search', class: 'toggle', pressed: kept.bodies, title: t('flow.bodies.title'), act: () => {
    kept.bodies = !kept.bodies;
    bodies.setAttribute('aria-pressed', String(kept.bodies));
    seek();
    refresh();
  } });
  const pause = button({ text: t('flow.pause'), icon: 'pause', class: 'toggle pause', pressed: false, act: stop });
  const count = h('span.tally', { role: 'status' });
  const empty = h('div.empty');
  const panel = h('aside.panel', { 'aria-label': t('panel'), hidden: true });
  fill(container,
    h('div.toolbar', {}, h('span.search', {}, icon('search'), search), bodies, h('span.group', { role: 'group', 'aria-label': t('flow.kinds') }, kinds), refused, h('span.gap'), count, pause),
    h('div.split', {}, h('div.listing', {}, list.element, empty), panel));

  const inside = { ...context, shut: () => context.navigate('flow'), openDelivery: (number) => show('d', number) };

  function show(kind, id) {
    context.navigate('flow', kind, String(id));
  }

  function stop() {
    held = held ? null : store.rows.slice();
    pause.setAttribute('aria-pressed', String(held !== null));
    fill(pause, icon(held ? 'play' : 'pause'), h('span', {}, t(held ? 'flow.go' : 'flow.pause')));
    refresh();
  }

  /** Ask the emulator which bodies have the text. */
  async function seek() {
    const mine = ++seeking;
    found = null;
    const text = kept.typed.trim();
    if (!kept.bodies || text.length < 2) return;
    await new Promise((go) => setTimeout(go, 200));
    if (mine !== seeking) return;
    const answer = await context.attempt(() => api.get('flow/search', { q: text }));
    if (mine !== seeking || !answer) return;
    found = new Set([...answer.requests.map((number) => `r${number}`), ...answer.deliveries.map((number) => `d${number}`)]);
    refresh();
  }

  function refresh() {
    const source = held ?? store.rows;
    const fits = kept.typed.trim() ? condition(kept.typed) : null;
    const rows = [];
    for (let place = source.length - 1; place >= 0; place--) {
      const row = source[place];
      if (kept.off.size && kept.off.has(KINDS.includes(row.kind) ? row.kind : 'clock')) continue;
      if (kept.refused && !isTrouble(row)) continue;
      if (fits && !fits(row) && !found?.has(row.id)) continue;
      rows.push(row);
    }
    list.show(rows);
    const more = held ? store.rows.length - held.length : 0;
    const told = rows.length === source.length ? t('flow.count', { count: source.length }) : t('flow.some', { shown: rows.length, count: source.length });
    count.textContent = more > 0 ? `${told} · ${t('flow.more', { count: more })}` : told;
    count.setAttribute('title', store.forgotten ? t('flow.forgotten', { count: store.forgotten }) : '');
    empty.hidden = rows.length > 0;
    if (!rows.length && empty.dataset.why !== `${source.length > 0}${store.state}`) {
      empty.dataset.why = `${source.length > 0}${store.state}`;
      fill(empty, source.length ? nothingFits(t, clear) : store.state === 'loading' ? h('p', {}, t('wait')) : nothingYet(context));
    }
  }

  function clear() {
    Object.assign(kept, { typed: '', refused: false, bodies: false });
    kept.off.clear();
    search.value = '';
    for (const each of kinds) each.setAttribute('aria-pressed', 'true');
    refused.setAttribute('aria-pressed', 'false');
    bodies.setAttribute('aria-pressed', 'false');
    refresh();
  }

  let ending = null;
  function update(rest) {
    const [kind, id] = rest;
    open = kind && id ? `${kind}${id}` : '';
    panel.hidden = !open;
    container.classList.toggle('opened', Boolean(open));
    list.choose(open || list.chosen);
    ending?.();
    ending = null;
    if (!open) return fill(panel);
    panel.scrollTop = 0;
    if (kind === 't') ending = taskDetail(inside, id, panel);
    else present(inside, panel, () => (kind === 'd' ? deliveryDetail(inside, id) : requestDetail(inside, id)));
  }

  keys.add({
    '/': ['flow.search', () => search.focus()],
    j: ['flow.down', () => list.step(1)],
    k: ['flow.up', () => list.step(-1)],
    p: ['flow.pause', stop],
    f: ['flow.refused', () => refused.click()],
    x: ['flow.clear', clear],
    Escape: ['close.panel', () => (document.activeElement === search && search.value ? clear() : open ? context.navigate('flow') : document.activeElement.blur())],
  });
  const unsubscribe = store.subscribe((heard) => {
    if (heard.size === 1 && heard.has('time')) return;
    refresh();
    if (open[0] === 'd' && (heard.has('delivery') || heard.has('filled'))) again();
  });

  let seen = null;
  /** Show an open delivery again when it has changed. */
  function again() {
    const row = store.byId.get(open);
    if (!row || seen === `${open}${row.status}${row.attempts}`) return;
    const first = !seen?.startsWith(open);
    seen = `${open}${row.status}${row.attempts}`;
    if (!first && !document.querySelector('dialog[open]')) present(inside, panel, () => deliveryDetail(inside, row.number));
  }

  refresh();
  seek();
  update(context.rest);
  return Object.assign(() => (unsubscribe(), ending?.(), list.end()), { update });
}

/** Whether a row is of something that went wrong. */
function isTrouble(row) {
  if (row.kind === 'request') return mood(row.status, row.code) !== 'ok';
  if (row.kind === 'task') return row.status === 'failed' || row.status === 'vanished';
  return row.kind === 'delivery' && (row.status === 'failed' || row.status === 'dropped' || Boolean(row.error));
}

function drawRow(context, row, element) {
  const { t } = context;
  const kind = KINDS.includes(row.kind) ? row.kind : 'other';
  element.className = `row ${kind}`;
  const parts = { request: requestParts, task: taskParts, delivery: deliveryParts, clock: clockParts, rule: ruleParts, reset: () => ['', t('flow.reset'), '', 'plain'] }[row.kind](row, t);
  const [pillText, title, note, of, chips] = parts;
  const trouble = isTrouble(row);
  if (trouble) element.classList.add('trouble');
  add(element, [
    h('span.when', { title: iso(row.at) }, time(row.at)),
    h('span.kind', { class: row.kind === 'delivery' ? 'callback' : row.kind, title: t(`kind.${row.kind}`) }, icon(row.kind === 'delivery' ? 'callback' : row.kind)),
    h('span.what', {}, row.operation && h('span.cloud', { class: cloud(row.operation), title: cloud(row.operation) }), h('b', {}, title)),
    h('span.note', {}, note), chips,
    pillText !== '' && h('span.pill', { class: of }, pillText),
  ]);
  element.setAttribute('aria-label', [t(`kind.${row.kind}`), time(row.at), title, pillText, note].filter(Boolean).join(', '));
}

function requestParts(row, t) {
  const title = row.operation ? short(row.operation) : `${row.method} ${row.path}`.trim() || t('flow.unknown');
  const note = row.reason ? row.reason.split('\n')[0] : row.tasks.length ? row.tasks.map((id) => brief(id)).join(' ') : '';
  const chips = row.rules.length ? h('span.pill.chaos', { title: row.rules.join(', ') }, icon('rule'), String(row.rules.length)) : null;
  return [row.code !== null && row.code !== undefined ? String(row.code) : String(row.status), title, note, mood(row.status, row.code), chips];
}

function taskParts(row, t) {
  const percent = row.status === 'running' || row.status === 'uploading' ? ` ${row.percent} %` : '';
  const of = { succeeded: 'ok', failed: 'bad', vanished: 'warn' }[row.status] ?? 'plain';
  return [t(`task.${row.status}`) + percent, short(row.operation), brief(row.task, 24), of];
}

function deliveryParts(row, t) {
  const note = row.error ? `${row.error}` : row.url || brief(row.task, 24);
  const more = row.attempts > 1 ? ` ×${row.attempts}` : '';
  const chips = row.chaos.length ? h('span.pill.chaos', {}, icon('bolt'), row.chaos.join(' ')) : null;
  return [t(`delivery.${row.status}`) + more, t('callback.of', { event: t(`event.${row.event}`) }), note, standing(row.status), chips];
}

function clockParts(row, t) {
  const note = row.events ? t('flow.fired', { count: row.events }) : '';
  return ['', t('flow.moved', { from: time(row.from, false), to: time(row.at, false) }), note, 'plain'];
}

const ruleParts = (row, t) => ['', t(`rule.${row.change}`), row.rule, 'plain'];

function nothingFits(t, clear) {
  return [h('p', {}, t('flow.nofit')), button({ text: t('flow.clear'), act: clear })];
}

function nothingYet(context) {
  const { t, account } = context;
  const origin = location.origin;
  const line = `curl '${origin}/?Action=CreateWaveTask&Version=2017-01-01&X-Amz-Credential=${account}/20260101/cn-beijing-6/kvs/aws4_request' -d '{"Preset": "wave", "points": 100, "SrcInfo": {"path": "/src/a.mp3"}, "DstBucket": "dst", "DstObjectKey": "a.json"}'`;
  return [icon('flow'), h('h2', {}, t('flow.empty')), h('p', {}, t('flow.empty.text')), h('pre', { tabindex: 0 }, line),
    button({ text: t('copy'), icon: 'copy', act: async () => (await copy(line), context.toast(t('copied'))) })];
}
