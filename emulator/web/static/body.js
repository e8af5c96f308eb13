/** Bodies and headers: as text only. JSON can be folded, forms are tables, pictures are shown. */

import { button, copy, h } from './dom.js';
import { bytes } from './format.js';
import { t } from './i18n.js';

const LONG = 1500;
const OPEN = 2;
const LEAVES = 200;
const KEPT = 64 * 1024;
const MAGIC = [['iVBORw0KGgo', 'image/png'], ['/9j/', 'image/jpeg'], ['R0lGOD', 'image/gif'], ['Qk', 'image/bmp'], ['JVBERi0', 'application/pdf']];

/**
 * A body, told by what it is.
 * @param {string} text @param {string} [type] its media type @returns {HTMLElement}
 */
export function bodyView(text, type = '') {
  if (!text) return h('p.nothing', {}, t('body.empty'));
  const cut = text.length >= KEPT && h('p.nothing', {}, t('body.cut', { size: bytes(KEPT) }));
  const shown = understood(text, type);
  const raw = h('pre.raw', { tabindex: 0, 'aria-label': t('body.raw') }, text);
  const box = h('div.body', {}, cut, shown ?? raw);
  const bar = h('div.bodybar', {}, h('span.size', {}, bytes(new Blob([text]).size)));
  if (shown) {
    raw.hidden = true;
    box.append(raw);
    const flip = button({ text: t('body.raw'), class: 'quiet', pressed: false, act: () => {
      raw.hidden = !raw.hidden;
      shown.hidden = !raw.hidden;
      flip.setAttribute('aria-pressed', String(shown.hidden));
    } });
    bar.append(flip);
  }
  bar.append(copyButton(() => text));
  box.prepend(bar);
  return box;
}

/** A button that copies what `text` gives. */
export function copyButton(text, label = t('copy')) {
  const made = button({ text: label, icon: 'copy', class: 'quiet', act: async () => {
    await copy(text());
    const word = made.querySelector('span');
    word.textContent = t('copied');
    setTimeout(() => (word.textContent = label), 1500);
  } });
  return made;
}

function understood(text, type) {
  const start = text.trimStart()[0];
  if (start === '{' || start === '[') {
    const document = parsed(text);
    if (document !== undefined) return h('div.json', {}, tree(document));
  }
  if (/x-www-form-urlencoded/i.test(type) || (!type && /^[\w.%-]+=[^\s]*$/.test(text))) return pairs([...new URLSearchParams(text)]);
  return null;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Names and values. @param {[string, string][]} rows */
export function pairs(rows) {
  return h('table.pairs', {}, h('tbody', {}, rows.map(([name, value]) => h('tr', {}, h('th', { scope: 'row' }, name), h('td', {}, valueView(value))))));
}

function valueView(value) {
  const picture = pictureOf(value);
  if (picture) return picture;
  const start = value.trimStart()[0];
  const document = start === '{' || start === '[' ? parsed(value) : undefined;
  if (document !== undefined) return h('div.json', {}, tree(document));
  return longText(value);
}

function longText(text) {
  if (text.length <= LONG) return h('span.text', {}, text);
  const box = h('span.text', {}, `${text.slice(0, 200)}… `);
  box.append(button({ text: t('body.all', { size: bytes(text.length) }), class: 'quiet', act: () => box.replaceChildren(text) }));
  return box;
}

/** The picture that `text` is in Base64, if it is one. @param {string} text */
export function pictureOf(text) {
  const plain = text.replace(/^data:[\w/+.-]+;base64,/, '').replaceAll(' ', '+');
  const type = plain.length > 60 ? MAGIC.find(([magic]) => plain.startsWith(magic))?.[1] : undefined;
  if (!type || /[^A-Za-z0-9+/=_\-\r\n%]/.test(plain.slice(0, 200))) return null;
  const size = Math.floor(plain.length * 0.75);
  const caption = h('figcaption', {}, `${type} · ${bytes(size)}`);
  if (!type.startsWith('image/')) return h('figure.picture', {}, caption);
  const image = h('img', { alt: t('body.picture'), src: `data:${type};base64,${plain.slice(0, plain.length - (plain.length % 4))}`, on: {
    load: () => caption.append(` · ${image.naturalWidth} × ${image.naturalHeight}`),
    error: () => image.replaceWith(h('span.nothing', {}, t('body.nopicture'))),
  } });
  return h('figure.picture', {}, image, caption);
}

/** A JSON document that can be folded. @param {any} value */
export function tree(value, depth = 0) {
  if (value === null || typeof value !== 'object') return leaf(value);
  const list = Array.isArray(value);
  const entries = Object.entries(value);
  const [opening, closing] = list ? '[]' : '{}';
  if (!entries.length) return h('span.punct', {}, opening + closing);
  const inside = h('div.inside');
  let from = 0;
  const more = () => {
    for (const [name, each] of entries.slice(from, from + LEAVES)) {
      inside.append(h('div.member', {}, !list && h('span.name', {}, JSON.stringify(name)), !list && ': ', tree(each, depth + 1)));
    }
    from += LEAVES;
    if (from < entries.length) {
      const next = button({ text: t('body.more', { count: entries.length - from }), class: 'quiet', act: () => (next.remove(), more()) });
      inside.append(next);
    }
  };
  const count = list ? t('json.items', { count: entries.length }) : t('json.members', { count: entries.length });
  const fold = h('details.fold', { on: { toggle: () => fold.open && !from && more() } },
    h('summary', {}, h('span.punct', {}, opening), h('span.count', {}, count), h('span.punct.end', {}, closing)), inside, h('div.punct', {}, closing));
  if (depth < OPEN || (depth < OPEN + 2 && entries.length <= 6)) {
    more();
    fold.open = true;
  }
  return fold;
}

function leaf(value) {
  if (typeof value !== 'string') return h('span.scalar', {}, String(value));
  const picture = pictureOf(value);
  if (picture) return picture;
  if (/^\s*[{[]/.test(value) && value.length > 20) {
    const document = parsed(value);
    if (document !== undefined) return h('span', {}, h('span.count', {}, t('json.inside')), tree(document, 2));
  }
  return value.length > LONG ? h('span.string', {}, longText(value)) : h('span.string', {}, JSON.stringify(value));
}
