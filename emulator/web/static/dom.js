/** Building the page: elements and texts, never markup. Whatever comes from outside becomes a text node. */

const SVG = 'http://www.w3.org/2000/svg';

/** @typedef {Node|string|number|null|undefined|false|Child[]} Child */

/**
 * An element: `h('button.primary', {type: 'button', on: {click}}, 'Go')`.
 * @param {string} tag name and classes
 * @param {Object<string, any>} [props] attributes; `on`: listeners; `style`: CSS properties; `data`: data attributes
 * @param {...Child} children
 * @returns {HTMLElement}
 */
export function h(tag, props = {}, ...children) {
  const [name, ...classes] = tag.split('.');
  return dress(document.createElement(name || 'div'), classes, props, children);
}

/** The same for SVG. @returns {SVGElement} */
export function svg(tag, props = {}, ...children) {
  const [name, ...classes] = tag.split('.');
  return dress(document.createElementNS(SVG, name), classes, props, children);
}

function dress(element, classes, props, children) {
  if (classes.length) element.classList.add(...classes);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'on') for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
    else if (name === 'style') for (const [property, text] of Object.entries(value)) element.style.setProperty(property, text);
    else if (name === 'data') Object.assign(element.dataset, value);
    else if (name === 'class') element.classList.add(...String(value).split(' ').filter(Boolean));
    else if (name === 'value' || name === 'checked' || name === 'selected') element[name] = value;
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  add(element, children);
  return element;
}

/** Put `children` at the end of `element`. @param {Element} element @param {Child[]} children */
export function add(element, children) {
  for (const child of children) {
    if (Array.isArray(child)) add(element, child);
    else if (child !== null && child !== undefined && child !== false) element.append(child instanceof Node ? child : String(child));
  }
}

/** Have `element` hold nothing but `children`. */
export function fill(element, ...children) {
  element.replaceChildren();
  add(element, children);
  return element;
}

const PATHS = {
  request: 'M3 8h8M8 5l3 3-3 3M13 3v10',
  callback: 'M13 8H5M8 5 5 8l3 3M3 3v10',
  task: 'M3 4h7M3 8h10M3 12h5',
  clock: 'M8 4.5V8l2.5 1.5M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0',
  rule: 'M3 4h10M5 8h6M7 12h2',
  reset: 'M3.5 8A4.5 4.5 0 1 1 5 11.4M3.5 12v-3h3',
  flow: 'M2 4h12M2 8h8M2 12h10',
  tasks: 'M2 4h6M5 8h8M4 12h5',
  recognition: 'M2 5V3h2M12 3h2v2M14 11v2h-2M4 13H2v-2M5 6h6M5 9h4',
  rules: 'M3 4h10M5 8h6M7 12h2',
  tryit: 'M5 3v10l8-5z',
  account: 'M8 8a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5M3 13.5c.5-3 2.5-4 5-4s4.5 1 5 4',
  pause: 'M6 3.5v9M10 3.5v9',
  play: 'M5 3v10l8-5z',
  next: 'M4 3.5v9l6-4.5zM12 3.5v9',
  skip: 'M2 4v8l5-4zM8 4v8l5-4zM14 4v8',
  copy: 'M6 5.5h7v8H6zM10 5.5v-3H3v8h3',
  link: 'M7 9l3-3M6 11l-1 1a2.1 2.1 0 0 1-3-3l2.5-2.5M10 5l1-1a2.1 2.1 0 0 1 3 3l-2.5 2.5',
  close: 'M4 4l8 8M12 4l-8 8',
  back: 'M9.5 3.5 5 8l4.5 4.5',
  search: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9M10.3 10.3 14 14',
  sun: 'M8 5.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5M8 1.5v1.5M8 13v1.5M1.5 8H3M13 8h1.5M3.5 3.5l1 1M11.5 11.5l1 1M12.5 3.5l-1 1M4.5 11.5l-1 1',
  moon: 'M13 9.5A5.5 5.5 0 1 1 6.5 3a4.5 4.5 0 0 0 6.5 6.5',
  help: 'M6 6a2 2 0 1 1 2.8 1.8c-.6.3-.8.7-.8 1.4M8 11.8v.2M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0',
  download: 'M8 2.5v7M5 7l3 3 3-3M3 13h10',
  upload: 'M8 10V3M5 5.5l3-3 3 3M3 13h10',
  resend: 'M13 8H5M8 5 5 8l3 3M3 3v10',
  edit: 'M3 13l.6-2.6L10.5 3.5l2 2-6.9 6.9z',
  bolt: 'M9 2 4 9h4l-1 5 5-7H8z',
  check: 'M3.5 8.5l3 3 6-7',
  cross: 'M4.5 4.5l7 7M11.5 4.5l-7 7',
};

/** A small picture that says nothing to a screen reader. @param {keyof PATHS} name */
export function icon(name) {
  return svg('svg.icon', { viewBox: '0 0 16 16', 'aria-hidden': 'true', focusable: 'false' }, svg('path', { d: PATHS[name] ?? '' }));
}

/**
 * A button. `text` is what it says, or only its name if it shows nothing but a picture.
 * @param {{text: string, icon?: string, act: (event: Event) => any, bare?: boolean, class?: string, title?: string, pressed?: boolean, disabled?: boolean}} options
 */
export function button({ text, icon: name, act, bare = false, class: classes = '', title, pressed, disabled = false }) {
  return h(
    'button',
    {
      type: 'button',
      class: `${classes}${bare ? ' bare' : ''}`,
      title: title ?? (bare ? text : null),
      'aria-label': bare ? text : null,
      'aria-pressed': pressed === undefined ? null : String(pressed),
      disabled,
      on: { click: act },
    },
    name && icon(name),
    !bare && h('span', {}, text),
  );
}

/** Put `text` on the clipboard. @returns {Promise<void>} */
export async function copy(text) {
  if (navigator.clipboard) {
    try {
      return await navigator.clipboard.writeText(text);
    } catch { /* not allowed here: the old way */ }
  }
  const field = h('textarea', { value: text, class: 'offscreen', 'aria-hidden': 'true' });
  document.body.append(field);
  field.select();
  document.execCommand('copy');
  field.remove();
}

/** Offer `content` as a file. @param {string} name @param {Blob|string} content */
export function save(name, content, type = 'application/json') {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  h('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
