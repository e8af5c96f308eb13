/** A list of any length, of which only the rows that are seen are on the page. */

import { h } from './dom.js';

const BEYOND = 8;

/**
 * @template T
 * @typedef {Object} Ways
 * @property {string} label its accessible name
 * @property {number} height of a row, in pixels
 * @property {(row: T) => string} key
 * @property {(row: T) => number} version a row is drawn again when this changes
 * @property {(row: T, element: HTMLElement) => void} draw
 * @property {(row: T) => void} open
 * @property {boolean} [anchored] whether rows that are added above leave what is seen where it is
 */

/** A listbox; rows have one height. @template T */
export class VirtualList {
  /** @param {Ways<T>} ways */
  constructor(ways) {
    this.ways = ways;
    this.rows = [];
    this.chosen = null;
    this.drawn = new Map();
    this.sheet = h('div.sheet', { role: 'presentation' });
    this.element = h('div.virtual', { role: 'listbox', tabindex: 0, 'aria-label': ways.label, on: {
      scroll: () => this.paint(),
      keydown: (event) => this.#key(event),
      click: (event) => this.#click(event),
    } }, this.sheet);
    this.watch = new ResizeObserver(() => this.paint());
    this.watch.observe(this.element);
    this.serial = `v${Math.random().toString(36).slice(2, 8)}`;
  }

  /** Show `rows`, first row on top. @param {T[]} rows */
  show(rows) {
    const { element, ways } = this;
    if (ways.anchored && element.scrollTop > 0 && this.rows.length) {
      const first = this.rows[Math.min(this.rows.length - 1, Math.floor(element.scrollTop / ways.height))];
      const before = this.rows.indexOf(first);
      const after = rows.indexOf(first);
      this.rows = rows;
      this.#size();
      if (after >= 0 && after !== before) element.scrollTop += (after - before) * ways.height;
    } else {
      this.rows = rows;
      this.#size();
    }
    this.paint();
  }

  #size() {
    this.sheet.style.setProperty('height', `${this.rows.length * this.ways.height}px`);
  }

  /** Draw what is seen. */
  paint() {
    const { height, key, version, draw } = this.ways;
    const { scrollTop, clientHeight } = this.element;
    const from = Math.max(0, Math.floor(scrollTop / height) - BEYOND);
    const to = Math.min(this.rows.length, Math.ceil((scrollTop + clientHeight) / height) + BEYOND);
    const wanted = new Set();
    for (let place = from; place < to; place++) wanted.add(key(this.rows[place]));
    const spare = [];
    for (const [name, held] of this.drawn) {
      if (!wanted.has(name)) {
        this.drawn.delete(name);
        spare.push(held.element);
      }
    }
    for (let place = from; place < to; place++) {
      const row = this.rows[place];
      const name = key(row);
      let held = this.drawn.get(name);
      if (!held) {
        held = { element: spare.pop() ?? this.#blank(), version: NaN, place: -1 };
        this.drawn.set(name, held);
      }
      const { element } = held;
      if (held.version !== version(row)) {
        held.version = version(row);
        element.replaceChildren();
        draw(row, element);
      }
      if (held.place !== place) {
        held.place = place;
        element.style.setProperty('transform', `translateY(${place * height}px)`);
        element.setAttribute('aria-posinset', String(place + 1));
      }
      element.setAttribute('aria-setsize', String(this.rows.length));
      element.dataset.key = name;
      element.id = `${this.serial}-${name}`;
      const chosen = name === this.chosen;
      if (element.getAttribute('aria-selected') !== String(chosen)) element.setAttribute('aria-selected', String(chosen));
    }
    for (const element of spare) element.remove();
    const active = this.chosen !== null && this.drawn.has(this.chosen) ? `${this.serial}-${this.chosen}` : null;
    if (active) this.element.setAttribute('aria-activedescendant', active);
    else this.element.removeAttribute('aria-activedescendant');
  }

  #blank() {
    const element = h('div.row', { role: 'option' });
    element.style.setProperty('height', `${this.ways.height}px`);
    this.sheet.append(element);
    return element;
  }

  /** Mark the row of that key, and bring it into view. @param {string|null} name */
  choose(name, reveal = true) {
    this.chosen = name;
    const place = name === null ? -1 : this.rows.findIndex((row) => this.ways.key(row) === name);
    if (place >= 0 && reveal) {
      const { height } = this.ways;
      const { scrollTop, clientHeight } = this.element;
      if (place * height < scrollTop) this.element.scrollTop = place * height;
      else if ((place + 1) * height > scrollTop + clientHeight) this.element.scrollTop = (place + 1) * height - clientHeight;
    }
    this.paint();
  }

  /** Go `by` rows on from the chosen one, and open that. @param {number} by */
  step(by) {
    if (!this.rows.length) return;
    const place = this.rows.findIndex((row) => this.ways.key(row) === this.chosen);
    const next = Math.max(0, Math.min(this.rows.length - 1, place < 0 && by !== Infinity ? 0 : place + by));
    this.choose(this.ways.key(this.rows[next]));
    this.ways.open(this.rows[next]);
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(this.element.clientHeight / this.ways.height) - 1);
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    this.step(by);
  }

  #click(event) {
    const element = event.target.closest('.row');
    const row = element && this.rows.find((one) => this.ways.key(one) === element.dataset.key);
    if (!row) return;
    this.choose(element.dataset.key, false);
    this.ways.open(row);
  }

  /** Let go of what it watches. */
  end() {
    this.watch.disconnect();
  }
}
