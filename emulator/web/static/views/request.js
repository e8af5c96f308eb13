/** One request, or one delivery, opened: what came, what was decided and why, what went back. */

import { bodyView, copyButton, pairs } from '../body.js';
import { button, copy, fill, h, icon } from '../dom.js';
import { brief, cloud, instant, iso, mood, short, span, time } from '../format.js';
import { resendDialog } from './resend.js';

let errors = null;

/** Every documented code, asked for once. */
export function codes(context) {
  errors ??= context.root.get('errors').then((found) => found.errors, () => ((errors = null), []));
  return errors;
}

/** The head of what is opened. */
export function head(context, { kind, title, sub, pills, at, acts = [] }) {
  const { t } = context;
  return h('header.head', {},
    h('div.line', {}, h('span.kind', { class: kind }, icon(kind)), h('h2', { tabindex: -1 }, title), pills,
      h('span.gap'),
      button({ text: t('link.copy'), icon: 'link', bare: true, class: 'quiet', act: async () => {
        await copy(location.href);
        context.toast(t('link.copied'));
      } }),
      context.shut && button({ text: t('close.panel'), icon: 'close', bare: true, class: 'quiet shut', act: context.shut })),
    h('div.sub', {}, sub, at !== undefined && h('time', { title: iso(at), datetime: iso(at) }, instant(at))),
    acts.length > 0 && h('div.acts', {}, acts));
}

export const pill = (text, of, title) => h('span.pill', { class: of, title }, text);

export const card = (title, ...children) => h('section.card', {}, h('h3', {}, title), ...children);

/** A link to a task. */
export const taskLink = (context, id) => h('a.chip', { href: context.address('tasks', id), title: id }, icon('task'), brief(id, 20));

/** @param {any} context @param {number|string} number */
export async function requestDetail(context, number) {
  const { api, t, store } = context;
  const [entry, table] = await Promise.all([api.get(`requests/${number}`), codes(context)]);
  const { reply } = entry;
  const of = mood(entry.status, entry.code);
  const row = entry.code === null ? null : table.find((each) => String(each.code) === String(entry.code) && each.cloud === cloud(entry.operation))
    ?? table.find((each) => String(each.code) === String(entry.code));
  const both = entry.query + entry.body + reply.body;
  const named = store.rows.filter((each) => each.kind === 'task' && (each.request === entry.number || both.includes(each.task))).slice(0, 8);
  const type = header(entry.headers, 'content-type');
  return h('article.detail', {},
    head(context, {
      kind: 'request',
      title: entry.operation ? short(entry.operation) : `${entry.method} ${entry.path}`,
      pills: [pill(String(entry.status), of), entry.code !== null && pill(String(entry.code), 'warn')],
      sub: [h('span', {}, `#${entry.number}`), entry.operation && h('span', {}, cloud(entry.operation)), entry.latency > 0 && h('span', {}, t('request.held', { span: span(entry.latency) }))],
      at: entry.at,
    }),
    named.length > 0 && h('p.chips', {}, h('span.label', {}, t('request.tasks')), named.map((each) => taskLink(context, each.task))),
    entry.code !== null && refusal(context, entry, row),
    card(t('request.decided'), traceList(context, entry)),
    h('div.sides', {},
      card(t('request.came'),
        h('p.wire', {}, h('b', {}, entry.method), ' ', h('span', {}, entry.path)),
        h('p.sub', {}, t('request.from', { peer: entry.peer, host: entry.host })),
        entry.query && folded(t('request.query'), pairs([...new URLSearchParams(entry.query)]), true),
        folded(t('request.headers', { count: entry.headers.length }), pairs(entry.headers)),
        h('h4', {}, t('request.body')), bodyView(entry.body, type)),
      card(t('request.back'),
        h('p.wire', {}, h('b', {}, String(entry.status))),
        folded(t('request.headers', { count: Object.keys(reply.headers).length }), pairs(Object.entries(reply.headers))),
        h('h4', {}, t('request.body')), bodyView(reply.body, reply.headers['Content-Type'] ?? ''))));
}

const header = (headers, name) => headers.find(([each]) => each.toLowerCase() === name)?.[1] ?? '';

/** Something that is folded away at first. */
export function folded(title, content, open = false) {
  return h('details.folded', { open }, h('summary', {}, title), content);
}

function traceList(context, entry) {
  const { t } = context;
  return h('ol.trace', {}, entry.trace.map(({ step, found }) => {
    const key = `step.${step.replaceAll(' ', '_')}`;
    const name = t(key);
    const [first, ...more] = found.split('\n');
    return h('li', { class: step === 'refuse' || step === 'fault' ? 'bad' : step.endsWith('rules') ? 'rule' : '' },
      h('b', { title: step }, name === key ? step : name), h('span', {}, first, more.length > 0 && h('em', {}, ` ${t('trace.below')}`)));
  }));
}

/** Why it was refused: the vendor's words, ours, and what came beside what was wanted. */
function refusal(context, entry, row) {
  const { t } = context;
  const [cause] = entry.reason.split('\n');
  return h('section.card.refused', { 'aria-label': t('refusal') },
    h('h3', {}, icon('cross'), t('refusal'), ' ', h('code', {}, String(entry.code))),
    row && h('p.vendor', {}, h('q', {}, row.text), row.gloss && row.gloss !== row.text && h('span.gloss', {}, row.gloss)),
    h('p.cause', {}, cause),
    signature(context, entry) ?? violations(context, entry, cause));
}

/** The canonical request as it was computed, beside the parts of the request as they came. */
function signature(context, entry) {
  const { t } = context;
  const found = /canonical request as computed here:\n([\s\S]*?)(?:\nstring to sign as computed here:\n([\s\S]*))?$/.exec(entry.reason);
  if (!found) return null;
  const lines = found[1].split('\n');
  const blank = lines.indexOf('', 3);
  const headers = lines.slice(3, blank < 0 ? undefined : blank);
  const given = new URLSearchParams(entry.query);
  const authorization = header(entry.headers, 'authorization');
  const sent = /SignedHeaders=([^,\s]+)/.exec(authorization)?.[1] ?? given.get('X-Amz-SignedHeaders') ?? '';
  const scope = /Credential=([^,\s]+)/.exec(authorization)?.[1] ?? given.get('X-Amz-Credential') ?? '';
  const rows = [
    [t('sign.method'), entry.method, lines[0]],
    [t('sign.path'), entry.path, lines[1]],
    [t('sign.query'), entry.query, lines[2]],
    ...headers.map((line) => {
      const [name, ...value] = line.split(':');
      return [name, header(entry.headers, name) || (name === 'host' ? entry.host : ''), value.join(':')];
    }),
    ...(blank < 0 ? [] : [[t('sign.headers'), sent, lines[blank + 1]], [t('sign.payload'), header(entry.headers, 'x-amz-content-sha256') || t('sign.notsent'), lines[blank + 2]]]),
  ];
  const toSign = found[2]?.split('\n') ?? [];
  if (toSign.length > 2) rows.push([t('sign.scope'), scope.split('/').slice(1).join('/'), toSign[2]]);
  return h('div.beside', {},
    h('table.compare', {}, h('thead', {}, h('tr', {}, h('td'), h('th', { scope: 'col' }, t('sign.came')), h('th', { scope: 'col' }, t('sign.computed')))),
      h('tbody', {}, rows.map(([name, came, computed]) => h('tr', {}, h('th', { scope: 'row' }, name), h('td', {}, came), h('td', {}, computed))))),
    h('div.sides', {},
      h('div', {}, h('h4', {}, t('sign.canonical')), h('pre', { tabindex: 0 }, found[1])),
      toSign.length > 0 && h('div', {}, h('h4', {}, t('sign.string')), h('pre', { tabindex: 0 }, found[2]))),
    copyButton(() => `${found[1]}\n\n${found[2] ?? ''}`, t('sign.copy')));
}

/** Each violation of the schema: where, what came, what is wanted. */
function violations(context, entry, cause) {
  const { t } = context;
  const found = [...cause.matchAll(/(?:^|; )(\/[^\s:]*): ([^;]+)/g)];
  if (!found.length) return null;
  const document = documentOf(entry);
  return h('div.beside', {}, h('table.compare', {},
    h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, t('schema.where')), h('th', { scope: 'col' }, t('schema.came')), h('th', { scope: 'col' }, t('schema.wanted')))),
    h('tbody', {}, found.map(([, pointer, message]) => {
      const value = at(document, pointer);
      return h('tr', {}, h('th', { scope: 'row' }, pointer), h('td', {}, value === undefined ? h('em', {}, t('schema.absent')) : brief(JSON.stringify(value), 200)), h('td', {}, message));
    }))));
}

function documentOf(entry) {
  const query = Object.fromEntries(new URLSearchParams(entry.query));
  try {
    return { ...query, ...JSON.parse(entry.body) };
  } catch {
    return { ...query, ...Object.fromEntries(new URLSearchParams(entry.body)) };
  }
}

const at = (document, pointer) => pointer.split('/').slice(1).reduce((part, name) => part?.[name.replaceAll('~1', '/').replaceAll('~0', '~')], document);

/** How a delivery stands. @returns {'ok'|'bad'|'warn'|'plain'} */
export const standing = (status) => ({ delivered: 'ok', failed: 'bad', dropped: 'warn', cancelled: 'warn' })[status] ?? 'plain';

/** @param {any} context @param {number|string} number */
export async function deliveryDetail(context, number) {
  const { api, t, attempt, toast } = context;
  const row = await api.get(`deliveries/${number}`);
  const resend = async (how) => {
    const again = await attempt(() => api.post(`deliveries/${row.number}/resend`, how));
    if (!again) return false;
    const last = again.attempts.at(-1);
    const went = again.status === 'delivered';
    toast(t(went ? 'resend.done' : 'resend.failed', { number: again.number, status: last?.status ?? last?.error ?? '' }), went ? 'ok' : 'bad');
    if (context.openDelivery) context.openDelivery(again.number);
    return true;
  };
  return h('article.detail', {},
    head(context, {
      kind: 'callback',
      title: t('callback.of', { event: t(`event.${row.event}`) }),
      pills: [pill(t(`delivery.${row.status}`), standing(row.status)), row.chaos.map((label) => pill(label, 'chaos', t('delivery.chaos')))],
      sub: [h('span', {}, `#${row.number}`), h('span', {}, short(row.operation))],
      at: row.due,
      acts: [
        button({ text: t('resend'), icon: 'resend', act: () => resend({}) }),
        button({ text: t('resend.edit'), icon: 'edit', act: () => resendDialog(context, row, resend) }),
      ],
    }),
    h('p.chips', {}, taskLink(context, row.task),
      row.copy_of && h('a.chip', { href: context.address('flow', 'd', row.copy_of) }, icon('callback'), t('delivery.copy', { number: row.copy_of }))),
    row.next_attempt !== null && h('p.note', {}, t('delivery.next', { time: time(row.next_attempt) })),
    attempts(context, row),
    h('div.sides', {}, card(t('callback.sent'),
      h('p.wire', {}, h('b', {}, row.request.method), ' ', h('span', {}, row.request.url)),
      folded(t('request.headers', { count: Object.keys(row.request.headers).length }), pairs(Object.entries(row.request.headers))),
      h('h4', {}, t('request.body')), bodyView(row.request.body, row.request.headers['Content-Type'] ?? ''))));
}

/** The attempts of a delivery. */
export function attempts(context, row) {
  const { t } = context;
  if (!row.attempts.length) return h('p.note', {}, t(`attempts.none.${row.status}`));
  return card(t('attempts', { count: row.attempts.length }), h('ol.attempts', {}, row.attempts.map((each) =>
    h('li', {}, h('span.dot', { class: each.error ? 'bad' : 'ok' }), h('time', { title: iso(each.at) }, time(each.at)),
      pill(each.status === null ? t('attempt.none') : String(each.status), each.error ? 'bad' : 'ok'),
      h('span.sub', {}, `${each.elapsed_ms} ms`), h('span', {}, each.error),
      each.answer && h('pre.answer', { tabindex: 0, 'aria-label': t('attempt.answer') }, each.answer)))));
}

/** Show in `container` what `load` gives, or why it cannot. */
export async function present(context, container, load) {
  container.setAttribute('aria-busy', 'true');
  try {
    const element = await load();
    fill(container, element);
  } catch (error) {
    fill(container, h('div.empty', {}, h('p', {}, error.message), context.shut && button({ text: context.t('close.panel'), act: context.shut })));
  } finally {
    container.removeAttribute('aria-busy');
  }
}
