/** Tasks as lanes on one axis of time: stages, reports, polls, callbacks with their attempts. */

import { button, fill, h, icon } from '../dom.js';
import { brief, cloud, instant, short, span, time } from '../format.js';
import { condition } from '../store.js';
import { VirtualList } from '../virtual.js';
import { taskDetail } from './task.js';

const LANE = 46;
const MOST = 500;
const LEAST_PAUSE = 400;
const SPANS = [60, 300, 3600, 86400];
const TICKS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 604800];
const kept = { width: 'fit', typed: '', live: false };

/** @param {HTMLElement} container @param {any} context */
export function mount(container, context) {
  const { store, api, t, keys } = context;
  let tasks = [];
  let deliveries = new Map();
  let polls = new Map();
  let frame = { from: 0, to: 1 };
  let drawn = 0;
  let open = '';
  let ending = null;
  let loading = false;
  let dirty = false;
  let ended = false;

  const list = new VirtualList({
    label: t('tasks.list'), height: LANE, key: (task) => task.id, version: () => drawn,
    draw: (task, element) => drawLane(context, task, element, { frame, deliveries: deliveries.get(task.id) ?? [], polls: polls.get(task.id) ?? [] }),
    open: (task) => context.navigate('tasks', task.id),
  });
  const axis = h('div.axis', { 'aria-hidden': 'true' });
  const rulers = h('div.rulers', { 'aria-hidden': 'true' });
  const nowLine = h('div.now', { 'aria-hidden': 'true' }, h('span'));
  const width = h('select', { 'aria-label': t('tasks.span'), on: { change: () => ((kept.width = width.value), paint()) } },
    h('option', { value: 'fit' }, t('tasks.fit')), SPANS.map((each) => h('option', { value: each }, span(each))));
  width.value = kept.width;
  const search = h('input', { type: 'search', placeholder: t('tasks.search'), 'aria-label': t('tasks.search'), value: kept.typed, on: { input: () => ((kept.typed = search.value), paint()) } });
  const live = button({ text: t('tasks.live'), class: 'toggle', pressed: kept.live, act: () => {
    kept.live = !kept.live;
    live.setAttribute('aria-pressed', String(kept.live));
    paint();
  } });
  const count = h('span.tally', { role: 'status' });
  const empty = h('div.empty', { hidden: true }, icon('tasks'), h('h2', {}, t('tasks.empty')), h('p', {}, t('tasks.empty.text')));
  const panel = h('aside.panel', { 'aria-label': t('panel'), hidden: true });
  fill(container,
    h('div.toolbar', {}, h('span.search', {}, icon('search'), search), live, h('label.inline', {}, h('span', {}, t('tasks.span')), width), legend(t), h('span.gap'), count),
    h('div.split', {}, h('div.lanes', {}, axis, h('div.lanebox', {}, list.element, rulers, nowLine), empty), panel));

  async function load() {
    if (loading) {
      dirty = true;
      return;
    }
    loading = true;
    const began = performance.now();
    try {
      const [found, sent] = await Promise.all([api.get('flow/tasks', { limit: MOST }), api.get('flow/deliveries', { limit: 4000 })]);
      if (ended) return;
      tasks = found.tasks.reverse();
      store.failures = found.failures;
      deliveries = grouped(sent.deliveries, (row) => [row.task]);
      paint();
    } catch { /* the state in the header says so */ } finally {
      loading = false;
      if (dirty && !ended) {
        dirty = false;
        setTimeout(load, Math.max(LEAST_PAUSE, 4 * (performance.now() - began)));
      }
    }
  }

  function paint() {
    const now = store.now();
    const fits = kept.typed.trim() ? condition(kept.typed) : null;
    const shown = tasks.filter((task) => (!kept.live || !['succeeded', 'failed', 'vanished'].includes(task.status))
      && (!fits || fits({ text: `${task.id} ${task.operation} ${task.kind} ${task.status} ${task.code || ''}`.toLowerCase(), operation: task.operation, status: task.status, code: task.code, task: task.id })));
    polls = grouped(store.rows.filter((row) => row.kind === 'request' && row.tasks.length), (row) => row.tasks);
    frame = framed(shown, now, deliveries);
    drawn += 1;
    list.show(shown);
    drawAxis(now);
    empty.hidden = tasks.length > 0 || store.state === 'loading';
    container.classList.toggle('bare', tasks.length === 0);
    count.textContent = t('tasks.count', { shown: shown.length, count: tasks.length });
  }

  function drawAxis(now) {
    const length = frame.to - frame.from;
    const every = TICKS.find((each) => length / each <= Math.max(1, rulers.clientWidth / 96)) ?? TICKS.at(-1);
    const ticks = [];
    for (let at = Math.ceil(frame.from / every) * every; at <= frame.to; at += every) {
      const share = (at - frame.from) / length;
      if (share < 1 - 60 / Math.max(61, rulers.clientWidth)) ticks.push(h('span.tick', { style: { left: `${100 * share}%` } }, every >= 86400 ? instant(at).slice(5, 10) : time(at, false)));
    }
    fill(axis, h('span.label', {}, t('tasks.task')), h('div.scale', {}, ticks));
    const share = (now - frame.from) / length;
    nowLine.hidden = share < 0 || share > 1 || tasks.length === 0;
    nowLine.firstChild.textContent = t('tasks.now');
    nowLine.style.setProperty('--share', String(share));
    const bar = `${list.element.offsetWidth - list.element.clientWidth}px`;
    nowLine.style.setProperty('--bar', bar);
    rulers.style.setProperty('--bar', bar);
    fill(rulers, ticks.map((tick) => h('i', { style: { left: tick.style.getPropertyValue('left') } })));
  }

  function framed(shown, now, sent) {
    if (kept.width !== 'fit') {
      const length = Number(kept.width);
      return { from: now - 0.7 * length, to: now + 0.3 * length };
    }
    let from = now;
    let to = now;
    for (const task of shown) {
      from = Math.min(from, task.stages.start);
      const end = task.outcome === 'hang' ? Math.max(task.stages.run ?? now, now) : task.stages.end ?? now;
      to = Math.max(to, end, ...(sent.get(task.id) ?? []).map((row) => row.next_attempt ?? row.attempts.at(-1)?.at ?? row.due));
    }
    const air = Math.max(1, (to - from) * 0.03);
    return { from: from - air, to: to + air };
  }

  function update([id = '']) {
    open = id;
    panel.hidden = !open;
    container.classList.toggle('opened', Boolean(open));
    list.choose(open || list.chosen);
    ending?.();
    ending = open ? taskDetail({ ...context, shut: () => context.navigate('tasks') }, open, panel) : (fill(panel), null);
    requestAnimationFrame(() => !ended && drawAxis(store.now()));
  }

  keys.add({
    '/': ['tasks.search', () => search.focus()],
    j: ['flow.down', () => list.step(1)],
    k: ['flow.up', () => list.step(-1)],
    Escape: ['close.panel', () => (open ? context.navigate('tasks') : document.activeElement.blur())],
  });
  const unsubscribe = store.subscribe((heard) => {
    if (['task', 'delivery', 'reset', 'load', 'clock'].some((kind) => heard.has(kind))) load();
    else paint();
  });
  const ticking = setInterval(() => store.clock?.mode !== 'frozen' && document.visibilityState === 'visible' && tick(), 500);
  let ticked = 0;
  /** Time goes on by itself: the line moves often, the lanes now and then. */
  function tick() {
    const now = store.now();
    if (kept.width !== 'fit' || now > frame.to || ++ticked % 4 === 0) paint();
    else drawAxis(now);
  }
  load();
  paint();
  update(context.rest);
  return Object.assign(() => {
    ended = true;
    unsubscribe();
    clearInterval(ticking);
    ending?.();
    list.end();
  }, { update });
}

function grouped(rows, names) {
  const found = new Map();
  for (const row of rows) {
    for (const name of names(row)) {
      const group = found.get(name);
      if (group) group.push(row);
      else found.set(name, [row]);
    }
  }
  return found;
}

/** Draw one task: its label, then stages and marks at their shares of the frame. */
function drawLane(context, task, element, { frame, deliveries, polls }) {
  const { t, store } = context;
  const now = store.now();
  const { stages } = task;
  const length = frame.to - frame.from;
  const share = (at) => Math.max(0, Math.min(100, (100 * (at - frame.from)) / length));
  const seen = (at) => at >= frame.from && at <= frame.to;
  const end = stages.end ?? frame.to;
  const track = h('div.track', { 'aria-hidden': 'true' });
  const parts = [['queue', stages.start, stages.run ?? end], ['run', stages.run, stages.upload], ['upload', stages.upload, stages.done]];
  for (const [name, from, to] of parts) {
    if (from === null || to === null) continue;
    const last = Math.min(to, end);
    if (last <= from && !(name === 'queue')) continue;
    const title = `${t(`stage.${name}`)} ${time(from)} – ${time(last)} (${span(last - from)})`;
    bar(name, from, Math.min(last, Math.max(from, now)), title);
    if (last > now) bar(`${name} later`, Math.max(from, now), last, title);
  }
  if (task.outcome === 'hang') bar('stuck', end, frame.to, t('outcome.hang'));
  function bar(name, from, to, title) {
    const left = share(from);
    const wide = share(to) - left;
    if (wide > 0) track.append(h('i.stage', { class: name, title, style: { left: `${left}%`, width: `${wide}%` } }));
  }
  function mark(name, at, title) {
    if (seen(at)) track.append(h('i.mark', { class: name, title, style: { left: `${share(at)}%` } }));
  }
  for (const step of task.steps.slice(0, -1)) mark(step.at <= now ? 'step' : 'step later', step.at, `${t('task.progress')} ${step.percent} % · ${time(step.at)}`);
  if (task.outcome !== 'hang' && stages.end !== null) mark(`end ${task.outcome}${stages.end > now ? ' later' : ''}`, stages.end, `${t(`outcome.${task.outcome}`)} ${task.code || ''} · ${time(stages.end)}`);
  for (const row of polls) if (row.number !== task.request) mark('poll', row.at, `${short(row.operation)} · ${time(row.at)}`);
  for (const row of deliveries) {
    for (const attempt of row.attempts) mark(`sent ${attempt.error ? 'bad' : 'ok'}`, attempt.at, `${t(`event.${row.event}`)} → ${attempt.status ?? attempt.error} · ${time(attempt.at)}`);
    if (row.status === 'dropped') mark('sent dropped', row.due, `${t('delivery.dropped')} · ${time(row.due)}`);
    if (row.status === 'pending' || row.status === 'sending') mark('sent later', row.next_attempt ?? row.due, `${t(`delivery.${row.status}`)} · ${time(row.next_attempt ?? row.due)}`);
  }
  const percent = task.status === 'running' || task.status === 'uploading' ? ` ${task.percent} %` : '';
  const of = { succeeded: 'ok', failed: 'bad', vanished: 'warn' }[task.status] ?? 'plain';
  const status = t(`task.${task.status}`) + percent + (task.status === 'failed' && task.code ? ` ${task.code}` : '');
  element.className = 'row lane';
  element.setAttribute('aria-label', `${short(task.operation)}, ${task.id}, ${status}, ${t('attempts', { count: deliveries.reduce((sum, row) => sum + row.attempts.length, 0) })}`);
  element.append(
    h('div.label', {}, h('div.what', {}, h('span.cloud', { class: cloud(task.operation) }), h('b', {}, short(task.operation)), h('span.pill', { class: of }, status)),
      h('code.sub', { title: task.id }, brief(task.id, 24))),
    track);
}

function legend(t) {
  const entry = (mark, text) => h('span', {}, h('i', { class: mark }), text);
  return h('details.legend', {}, h('summary', {}, t('legend')), h('div', {},
    entry('stage queue', t('stage.queue')), entry('stage run', t('stage.run')), entry('stage upload', t('stage.upload')),
    entry('mark step', t('task.progress')), entry('mark poll', t('legend.poll')), entry('mark sent ok', t('legend.sent')),
    entry('mark sent bad', t('legend.failed')), entry('mark sent later', t('legend.later')), entry('mark end succeed', t('outcome.succeed')), entry('mark end fail', t('outcome.fail'))));
}
