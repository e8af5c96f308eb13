/** A callback, edited and sent again. */

import { button, h } from '../dom.js';

/**
 * @param {any} context @param {any} row the delivery
 * @param {(how: {url?: string, headers?: Object<string, string|null>, body?: string}) => Promise<boolean>} send
 */
export function resendDialog(context, row, send) {
  const { t, toast } = context;
  const url = h('input', { id: 'resend-url', type: 'url', value: row.request.url, required: true });
  const before = Object.entries(row.request.headers).map(([name, value]) => `${name}: ${value}`).join('\n');
  const headers = h('textarea', { id: 'resend-headers', rows: 4, spellcheck: 'false', value: before });
  const body = h('textarea', { id: 'resend-body', rows: 14, spellcheck: 'false', value: pretty(row.request.body) });
  const dialog = h('dialog.box.wide', { 'aria-labelledby': 'resend-title', on: { close: () => dialog.remove() } },
    h('h2', { id: 'resend-title' }, t('resend.title', { number: row.number })),
    h('p.sub', {}, t('resend.text')),
    h('label', { for: 'resend-url' }, t('resend.url')), url,
    h('label', { for: 'resend-headers' }, t('resend.headers')), headers,
    h('label', { for: 'resend-body' }, t('request.body')), body,
    h('div.acts', {},
      button({ text: t('cancel'), act: () => dialog.close() }),
      button({ text: t('resend.go'), icon: 'resend', class: 'primary', act: go })));

  async function go() {
    const how = {};
    if (url.value !== row.request.url) how.url = url.value;
    if (headers.value !== before) {
      const edited = read(headers.value);
      if (!edited) return toast(t('resend.badheader'), 'bad');
      how.headers = { ...Object.fromEntries(Object.keys(row.request.headers).map((name) => [name, null])), ...edited };
    }
    if (body.value !== pretty(row.request.body)) how.body = compact(body.value);
    if (await send(how)) dialog.close();
  }

  document.body.append(dialog);
  dialog.showModal();
  body.focus();
}

function read(text) {
  const found = {};
  for (const line of text.split('\n').filter((each) => each.trim())) {
    const at = line.indexOf(':');
    if (at < 1) return null;
    found[line.slice(0, at).trim()] = line.slice(at + 1).trim();
  }
  return found;
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function compact(text) {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return text;
  }
}
