/** The console: finds the account, shows a view, and what is the same in all of them. */

import { Api, Refusal } from './api.js';
import { clockBar } from './clockbar.js';
import { button, fill, h, icon } from './dom.js';
import { language, speak, t } from './i18n.js';
import { Keys } from './keys.js';
import { Store } from './store.js';

const VIEWS = ['flow', 'tasks', 'recognition', 'rules', 'tryit', 'account'];
const THEMES = ['auto', 'light', 'dark'];
const LOOK = 4000;

const keys = new Keys();
const api = new Api(askForToken);
let shell = null;
let store = null;
let accounts = [];
/** What is shown: the view, the path below it, and what ends it. */
let shown = { view: '', account: '', rest: '', end: null };

/** @typedef {{account: string, view: string, rest: string[]}} Place */

/** @returns {Place} where the address says that we are */
function place() {
  const [account = '', view = '', ...rest] = location.hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent);
  return { account, view: VIEWS.includes(view) ? view : 'flow', rest };
}

/** The address of a place in an account. */
export function address(account, view, ...rest) {
  return `#/${[account, view, ...rest].map(encodeURIComponent).join('/')}`;
}

function theme(name) {
  if (name) localStorage.setItem('emulator-theme', name);
  const wanted = localStorage.getItem('emulator-theme') ?? 'auto';
  const dark = wanted === 'dark' || (wanted === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  return wanted;
}

/** Build what surrounds the views. */
function build() {
  document.title = t('title');
  const status = h('span.live', { role: 'status' });
  const picker = h('select.picker', { 'aria-label': t('account.pick'), on: { change: () => go(address(picker.value, place().view)) } });
  const links = VIEWS.map((view) =>
    h('a', { class: 'tab', data: { view }, href: '#' }, icon(view), h('span', {}, t(`view.${view}`))));
  const main = h('main', { id: 'view', tabindex: -1 });
  const clock = h('div.clock-slot');
  const toasts = h('div.toasts', { role: 'status', 'aria-live': 'polite' });
  const nav = h('nav.tabs', { 'aria-label': t('nav') }, links);
  fill(document.getElementById('app'),
    h('a.skip', { href: '#view', on: { click: (event) => (event.preventDefault(), main.focus()) } }, t('skip')),
    h('header.top', {},
      h('span.brand', {}, h('img', { src: 'static/mark.svg', alt: '', width: 22, height: 22 }), h('b', {}, t('brand'))),
      picker, nav, h('span.gap'), status,
      button({ text: t('language.other'), bare: false, class: 'quiet lang', title: t('language.switch'), act: () => relabel(language() === 'zh' ? 'en' : 'zh') }),
      button({ text: t('theme.switch'), icon: document.documentElement.dataset.theme === 'dark' ? 'sun' : 'moon', bare: true, class: 'quiet', act: turn }),
      button({ text: t('help'), icon: 'help', bare: true, class: 'quiet', act: () => keys.help(t) })),
    clock, main, toasts);
  shell = { status, picker, links, main, clock, toasts };
  listAccounts();
}

function turn() {
  theme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark');
  rebuild();
}

function relabel(name) {
  speak(name);
  rebuild();
}

function rebuild() {
  shown.end?.();
  shown = { view: '', account: '', rest: '', end: null };
  build();
  route();
}

function go(hash) {
  if (location.hash === hash) route();
  else location.hash = hash;
}

/** Say something that goes away by itself. @param {string} text @param {'ok'|'bad'} [mood] */
function toast(text, mood = 'ok') {
  const note = h('div.toast', { class: mood }, icon(mood === 'ok' ? 'check' : 'cross'), h('span', {}, text));
  shell.toasts.append(note);
  setTimeout(() => note.remove(), mood === 'ok' ? 4000 : 9000);
}

/** Do what may be refused, and say so if it is. @template T @param {() => Promise<T>} act @returns {Promise<T|undefined>} */
async function attempt(act) {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof Refusal)) console.warn(error);
    toast(error.message, 'bad');
    return undefined;
  }
}

function listAccounts() {
  const now = place().account;
  const names = accounts.map((each) => each.name);
  const all = names.includes(now) || !now ? names : [now, ...names];
  const before = [...shell.picker.options].map((option) => option.value);
  if (before.join('\n') !== all.join('\n')) fill(shell.picker, all.map((name) => h('option', { value: name }, name)));
  shell.picker.value = now;
}

async function lookForAccounts() {
  try {
    ({ accounts } = await api.get('accounts'));
    listAccounts();
  } catch { /* the stream says when the emulator is away */ }
}

function sayState() {
  const state = store?.state ?? 'loading';
  shell.status.dataset.state = state;
  fill(shell.status, h('i'), h('span', {}, t(`state.${state}`)));
}

/** Show what the address names. */
async function route() {
  const { account, view, rest } = place();
  if (!account) {
    const kept = localStorage.getItem('emulator-account');
    const busiest = accounts.reduce((best, each) => (each.requests > (best?.requests ?? -1) ? each : best), null);
    const name = accounts.some((each) => each.name === kept) ? kept : busiest?.name ?? 'default';
    location.replace(address(name, 'flow'));
    return;
  }
  const other = store?.api.name !== account;
  if (other) {
    shown.end?.();
    shown = { view: '', account: '', rest: '', end: null };
    store?.stop();
    store = new Store(api.account(account));
    store.subscribe((heard) => heard.has('state') || heard.has('load') ? sayState() : null);
    localStorage.setItem('emulator-account', account);
    store.start();
  }
  listAccounts();
  sayState();
  for (const link of shell.links) {
    link.setAttribute('href', address(account, link.dataset.view));
    if (link.dataset.view === view) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  const path = rest.join('/');
  for (const dialog of document.querySelectorAll('dialog.box:not(.token)')) dialog.close();
  if (shown.view === view && shown.account === account) {
    if (shown.rest === path) return;
    shown.rest = path;
    if (shown.end?.update) return shown.end.update(rest);
  }
  shown.end?.();
  const mine = (shown = { view, account, rest: path, end: null });
  fill(shell.main, h('p.wait', {}, t('wait')));
  shell.main.dataset.view = view;
  const context = contextFor(account);
  const bar = view === 'flow' || view === 'tasks' ? clockBar(context) : null;
  fill(shell.clock, bar?.element);
  let end = null;
  try {
    const module = await import(`./views/${view}.js`);
    if (shown !== mine) return bar?.end();
    fill(shell.main);
    end = module.mount(shell.main, { ...context, rest });
  } catch (error) {
    if (shown !== mine) return bar?.end();
    console.warn(error);
    fill(shell.main, h('p.wait', {}, t('view.missing')));
  }
  mine.end = Object.assign(() => (end?.(), bar?.end(), keys.clear()), { update: end?.update });
}

/** What a view is given. */
function contextFor(account) {
  const mine = store;
  return {
    api: mine.api, root: api, store: mine, account, t, keys, toast, attempt, lookForAccounts, rest: [],
    navigate: (view, ...rest) => go(address(account, view, ...rest)),
    address: (view, ...rest) => address(account, view, ...rest),
  };
}

/** Ask for the admin token. @returns {Promise<string>} */
function askForToken() {
  return new Promise((give) => {
    const field = h('input', { type: 'password', id: 'token', autocomplete: 'off', required: true });
    const dialog = h('dialog.box.token', { 'aria-labelledby': 'token-title', on: { cancel: (event) => event.preventDefault() } },
      h('h2', { id: 'token-title' }, t('token.title')),
      h('p', {}, t('token.text')),
      h('label', { for: 'token' }, t('token.label')), field,
      h('div.acts', {}, button({ text: t('token.go'), class: 'primary', act: done })));
    function done() {
      if (!field.value) return field.focus();
      dialog.remove();
      give(field.value.trim());
    }
    field.addEventListener('keydown', (event) => event.key === 'Enter' && done());
    document.body.append(dialog);
    dialog.showModal();
    field.focus();
  });
}

async function boot() {
  speak(language());
  theme();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => theme());
  keys.always({
    ...Object.fromEntries(VIEWS.map((view, at) => [String(at + 1), [`view.${view}`, () => go(address(place().account, view))]])),
    '?': ['help', () => keys.help(t)],
    t: ['theme.switch', turn],
  });
  window.addEventListener('hashchange', route);
  build();
  sayState();
  await lookForAccounts();
  await route();
  setInterval(() => document.visibilityState === 'visible' && lookForAccounts(), LOOK);
}

boot();
