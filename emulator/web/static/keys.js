/** Keys that do something, and the list of them. */

import { button, h } from './dom.js';

/** @typedef {Object<string, [label: string, act: (event: KeyboardEvent) => void]>} Table by key; `label` is a key of the texts */

export class Keys {
  constructor() {
    /** @type {Table} */
    this.fixed = {};
    /** @type {Table} */
    this.own = {};
    document.addEventListener('keydown', (event) => this.#press(event));
  }

  /** @param {Table} table keys of every view */
  always(table) {
    this.fixed = table;
  }

  /** @param {Table} table further keys, until the view ends */
  add(table) {
    this.own = { ...this.own, ...table };
  }

  clear() {
    this.own = {};
  }

  #press(event) {
    const { target, key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    if (target.closest?.('input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]') && key !== 'Escape') return;
    const found = this.own[key] ?? this.fixed[key];
    if (!found) return;
    event.preventDefault();
    found[1](event);
  }

  /** Show all keys. @param {(key: string) => string} t */
  help(t) {
    if (document.querySelector('dialog[open]')) return;
    const rows = (table) => Object.entries(table).map(([key, [label]]) => h('tr', {}, h('td', {}, h('kbd', {}, key === ' ' ? 'Space' : key)), h('td', {}, t(label))));
    const table = (name, of) => Object.keys(of).length > 0 && h('section', {}, h('h3', {}, name), h('table.keys', {}, h('tbody', {}, rows(of))));
    const dialog = h('dialog.box', { 'aria-labelledby': 'keys-title', on: { close: () => dialog.remove() } },
      h('h2', { id: 'keys-title' }, t('keys.title')),
      h('div.columns', {}, table(t('keys.view'), this.own), table(t('keys.all'), this.fixed)),
      h('div.acts', {}, button({ text: t('close'), class: 'primary', act: () => dialog.close() })));
    document.body.append(dialog);
    dialog.showModal();
  }
}
