/** What the console says, in the language of whoever looks at it. */

import enShell from './i18n/en.js';
import enViews from './i18n/views-en.js';
import zhViews from './i18n/views-zh.js';
import zhShell from './i18n/zh.js';

const en = { ...enShell, ...enViews };
const zh = { ...zhShell, ...zhViews };

export const TABLES = { en, zh };
const KEPT = 'emulator-language';

/** @returns {'en'|'zh'} */
export function language() {
  const kept = localStorage.getItem(KEPT);
  if (kept === 'en' || kept === 'zh') return kept;
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

/** @param {'en'|'zh'} name */
export function speak(name) {
  localStorage.setItem(KEPT, name);
  document.documentElement.lang = name === 'zh' ? 'zh-CN' : 'en';
}

/**
 * The text named `key`, with `{name}` replaced by `values.name`.
 * @param {string} key @param {Object<string, any>} [values] @returns {string}
 */
export function t(key, values = {}) {
  const text = TABLES[language()][key] ?? en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}
