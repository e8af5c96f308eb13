/** The account's clock: what it shows, how it runs, and moving it by hand. */

import { button, fill, h, icon } from './dom.js';
import { instant, iso, span, time } from './format.js';

const MODES = ['real', 'scaled', 'frozen'];
const SPEEDS = [2, 10, 60, 600, 3600];

/** @returns {{element: HTMLElement, end: () => void}} */
export function clockBar(context) {
  const { api, store, t, keys, toast, attempt } = context;
  let busy = false;
  const face = h('time.face');
  const due = h('span.due');
  const by = h('input', { type: 'text', value: localStorage.getItem('emulator-by') ?? '10s', 'aria-label': t('clock.by'), size: 5, on: {
    keydown: (event) => event.key === 'Enter' && advanceBy(),
  } });
  const acts = h('span.acts', {},
    button({ text: t('clock.next'), icon: 'next', title: t('clock.next.title'), act: () => advance({ until: 'next' }) }),
    h('span.joined', {}, by, button({ text: t('clock.advance'), icon: 'play', title: t('clock.advance.title'), act: advanceBy })),
    button({ text: t('clock.idle'), icon: 'skip', title: t('clock.idle.title'), act: () => advance({ until: 'idle' }) }));
  const speed = h('select', { 'aria-label': t('clock.speed'), on: { change: () => setMode('scaled') } }, SPEEDS.map((each) => h('option', { value: each }, `×${each}`)));
  const modes = h('span.segments', { role: 'group', 'aria-label': t('clock.mode') }, MODES.map((mode) =>
    button({ text: t(`clock.${mode}`), title: t(`clock.${mode}.title`), class: mode, pressed: false, act: () => setMode(mode) })));
  const element = h('section.clockbar', { 'aria-label': t('clock') }, icon('clock'), face, modes, speed, acts, due);

  async function advance(how) {
    if (busy || store.clock?.mode !== 'frozen') return;
    busy = true;
    element.dataset.busy = '';
    const moved = await attempt(() => api.post('clock/advance', how));
    busy = false;
    delete element.dataset.busy;
    if (!moved) return;
    store.set(moved);
    toast(moved.fired.length ? t('clock.fired', { count: moved.fired.length, now: time(moved.now, false) }) : t('clock.nothing', { now: time(moved.now, false) }));
  }

  function advanceBy() {
    const text = by.value.trim();
    localStorage.setItem('emulator-by', text);
    return advance({ seconds: /^[\d.]+$/.test(text) ? Number(text) : text });
  }

  async function setMode(mode) {
    const document = mode === 'scaled' ? { mode, speed: Number(speed.value) } : { mode };
    const clock = await attempt(() => api.put('clock', document));
    if (clock) store.set(clock);
  }

  function show() {
    const { clock } = store;
    if (!clock) return;
    const now = store.now();
    fill(face, h('span.day', {}, instant(now).slice(0, 11)), instant(now).slice(11));
    face.setAttribute('title', iso(now));
    face.setAttribute('datetime', iso(now));
    element.dataset.mode = clock.mode;
    const frozen = clock.mode === 'frozen';
    for (const each of modes.children) each.setAttribute('aria-pressed', String(each.classList.contains(clock.mode)));
    speed.hidden = clock.mode !== 'scaled';
    if (clock.mode === 'scaled' && document.activeElement !== speed) {
      if (![...speed.options].some((option) => Number(option.value) === clock.speed)) speed.append(h('option', { value: clock.speed }, `×${clock.speed}`));
      speed.value = String(clock.speed);
    }
    acts.hidden = !frozen;
    const left = clock.next === null ? null : Math.max(0, clock.next - now);
    fill(due, clock.pending ? t('clock.pending', { count: clock.pending, span: span(left ?? 0) }) : t('clock.still'));
  }

  keys.add({
    n: ['clock.next.title', () => advance({ until: 'next' })],
    a: ['clock.advance.title', advanceBy],
    i: ['clock.idle.title', () => advance({ until: 'idle' })],
  });
  const unsubscribe = store.subscribe((heard) => heard.has('time') && show());
  const ticking = setInterval(() => store.clock?.mode !== 'frozen' && show(), 500);
  show();
  return { element, end: () => (unsubscribe(), clearInterval(ticking)) };
}
