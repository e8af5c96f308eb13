/** A form made from a JSON Schema. It never refuses: a wrong value is sent as it was typed, for the emulator to refuse. */

import { button, fill, h } from './dom.js';
import { t } from './i18n.js';

/**
 * @typedef {Object} Field
 * @property {HTMLElement} element
 * @property {() => any} read what was filled in; `undefined`: nothing
 */
/** @typedef {(name: string, schema: any, value: any, id: string) => Field|null} Special a field that is not made from its schema */

let made = 0;

/**
 * A form for an object. `changed` is called after every change.
 * @param {any} schema @param {any} value what it begins with @param {() => void} changed @param {Special} [special] @returns {Field}
 */
export function formOf(schema, value, changed, special = () => null) {
  const root = members(schema, value ?? {}, { changed, special });
  root.element.classList.add('form');
  root.element.addEventListener('input', changed);
  root.element.addEventListener('change', changed);
  return { element: root.element, read: () => root.read() ?? {} };
}

/** The members of an object: those that are needed or filled in, and a list of those that could be. */
function members(schema, value, tools) {
  const properties = schema.properties ?? {};
  const required = new Set(schema.required ?? []);
  /** @type {Map<string, Field>} */
  const shown = new Map();
  const rows = h('div.fields');
  const more = h('select', { 'aria-label': t('form.add'), on: { change: (event) => {
    event.stopPropagation();
    const name = more.value;
    if (!name) return;
    const row = put(name, undefined);
    offer();
    tools.changed();
    (row.querySelector('input, select, textarea') ?? row).focus();
  } } });
  const element = h('div.object', {}, rows, more);

  function put(name, given) {
    const part = properties[name] ?? {};
    const field = fieldOf(name, part, given, required.has(name), tools, () => {
      shown.delete(name);
      row.remove();
      offer();
      tools.changed();
      more.focus();
    });
    const row = field.element;
    shown.set(name, field);
    rows.append(row);
    return row;
  }

  function offer() {
    const left = Object.keys(properties).filter((name) => !shown.has(name));
    more.hidden = left.length === 0;
    fill(more, h('option', { value: '' }, t('form.add')), left.map((name) => h('option', { value: name, title: properties[name].description }, name)));
  }

  for (const name of Object.keys(properties)) if (required.has(name) || name in value) put(name, value[name]);
  for (const name of Object.keys(value)) if (!(name in properties)) put(name, value[name]);
  offer();
  return {
    element,
    read() {
      const found = {};
      for (const [name, field] of shown) {
        const each = field.read();
        if (each !== undefined) found[name] = each;
      }
      return Object.keys(found).length ? found : undefined;
    },
  };
}

/** One member, with its name, what it means, and a way to take it away if it is not needed. @returns {Field} */
function fieldOf(name, schema, value, needed, tools, remove) {
  const id = `field-${++made}`;
  const hint = schema.description && h('p.hint', { id: `${id}-hint` }, schema.description);
  const kind = kindOf(schema, value);
  const own = tools.special(name, schema, value, id);
  const field = own ?? control(kind, schema, value, needed, id, tools, name);
  const away = !needed && button({ text: t('form.remove', { name }), icon: 'close', bare: true, class: 'quiet', act: remove });
  if (!own && (kind === 'object' || kind === 'array')) {
    return { element: h('fieldset.field', {}, h('legend', {}, name, needed && h('span.needed', { title: t('form.needed') }, '*'), away), hint, field.element), read: field.read };
  }
  const input = field.element.matches('input, select, textarea') ? field.element : field.element.querySelector('input, select, textarea');
  if (input && hint) input.setAttribute('aria-describedby', `${id}-hint`);
  const label = h('label', { for: id }, name, needed && h('span.needed', { title: t('form.needed') }, '*'));
  return { element: h('div.field', {}, h('div.caption', {}, label, away), field.element, hint), read: field.read };
}

/** Which control fits. @returns {'object'|'array'|'choice'|'json'|'number'|'text'} */
function kindOf(schema, value) {
  const types = [schema.type ?? []].flat();
  if (Array.isArray(value) && schema.items) return 'array';
  if (value === undefined && types.includes('array') && !types.includes('object') && schema.items) return 'array';
  if (schema.const !== undefined || schema.enum || types[0] === 'boolean') return 'choice';
  if (typeof value === 'object' || (types.includes('object') && !types.includes('string'))) return schema.properties && !Array.isArray(value) ? 'object' : 'json';
  if (types.length && !types.includes('string') && (types.includes('integer') || types.includes('number'))) return 'number';
  return types.length === 0 && value !== undefined && typeof value !== 'string' ? 'json' : 'text';
}

/** @returns {Field} */
function control(kind, schema, value, needed, id, tools, name) {
  switch (kind) {
    case 'object':
      return members(schema, value ?? {}, tools);
    case 'array':
      return list(schema, value ?? (schema.minItems ? [undefined] : []), tools, name);
    case 'choice':
      return choice(schema, value, needed, id);
    case 'json': {
      const area = h('textarea.code', { id, rows: 4, spellcheck: 'false', value: value === undefined ? '' : JSON.stringify(value, null, 2) });
      return { element: area, read: () => parsed(area.value) };
    }
    default: {
      const number = kind === 'number';
      const text = value === undefined ? '' : String(value);
      const long = text.length > 80;
      const input = h(long ? 'textarea' : 'input', {
        id, value: text, type: long ? null : 'text', inputmode: number ? 'decimal' : null, autocomplete: 'off', spellcheck: 'false',
        placeholder: placeholder(schema),
      });
      const read = () => (input.value === '' ? undefined : number && /^-?\d+(\.\d+)?$/.test(input.value.trim()) ? Number(input.value) : input.value);
      return { element: input, read };
    }
  }
}

function choice(schema, value, needed, id) {
  const values = schema.const !== undefined ? [schema.const] : schema.enum ?? [true, false];
  const all = value === undefined || values.includes(value) ? values : [value, ...values];
  const select = h('select', { id },
    (!needed || value === undefined) && h('option', { value: '-1' }, ''),
    all.map((each, at) => h('option', { value: String(at) }, typeof each === 'string' && each ? each : JSON.stringify(each))));
  const chosen = value === undefined && needed && schema.const !== undefined ? 0 : all.indexOf(value);
  select.value = String(chosen);
  return { element: select, read: () => all[Number(select.value)] };
}

function list(schema, values, tools, name) {
  /** @type {Field[]} */
  let entries = [];
  const rows = h('div.fields');
  const put = (value) => {
    const entry = fieldOf(String(entries.length), schema.items === true ? {} : schema.items, value, false, tools, () => {
      entries = entries.filter((each) => each !== entry);
      entry.element.remove();
      tools.changed();
    });
    entries.push(entry);
    rows.append(entry.element);
  };
  values.forEach(put);
  const more = button({ text: t('form.more', { name }), class: 'quiet', act: () => {
    put(undefined);
    tools.changed();
  } });
  return { element: h('div.object', {}, rows, more), read: () => entries.map((entry) => entry.read()).filter((each) => each !== undefined) };
}

/** What a person typed as JSON; as it is if it is none. */
export function parsed(text) {
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function placeholder(schema) {
  const { minimum, maximum } = schema;
  if (minimum !== undefined && maximum !== undefined) return `${minimum} – ${maximum}`;
  return schema.default === undefined ? null : String(schema.default);
}

/** A picture chosen from this machine, or the one that comes with the console. @returns {Field} */
export function pictureField(value, id, sample) {
  let content = value ?? '';
  const image = h('img', { alt: t('picture.chosen'), hidden: true });
  const said = h('span.hint', {});
  const file = h('input', { type: 'file', id, accept: 'image/png,image/jpeg,image/bmp,application/pdf,.pdf', on: { change: () => {
    if (file.files[0]) element.ready = read(file.files[0]);
  } } });
  const element = h('div.chooser', {}, file, sample && button({ text: t('picture.sample'), class: 'quiet', act: () => {
    file.value = '';
    element.ready = fetch(new URL('static/sample.png', document.baseURI)).then((answer) => answer.blob()).then(read);
  } }), image, said);
  element.ready = Promise.resolve();
  if (content) {
    image.hidden = false;
    image.src = `data:image/png;base64,${content}`;
    image.addEventListener('error', () => (image.hidden = true));
  }

  async function read(blob) {
    content = await encoded(blob);
    image.hidden = blob.type === 'application/pdf';
    if (!image.hidden) image.src = URL.createObjectURL(blob);
    said.textContent = t('picture.size', { type: blob.type.split(';')[0] || '?', size: content.length.toLocaleString('en') });
    element.dispatchEvent(new Event('change', { bubbles: true }));
  }

  return { element, read: () => content || undefined };
}

/** The content of a file in Base64. @param {Blob} blob @returns {Promise<string>} */
export function encoded(blob) {
  return new Promise((give, fail) => {
    const reader = new FileReader();
    reader.onload = () => give(String(reader.result).replace(/^[^,]*,/, ''));
    reader.onerror = () => fail(reader.error);
    reader.readAsDataURL(blob);
  });
}
