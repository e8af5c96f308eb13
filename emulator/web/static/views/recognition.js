/** Recognition: the picture that was sent with what was read drawn over it; words that are edited and kept. And waveforms. */

import { copyButton } from '../body.js';
import { button, fill, h, save, svg } from '../dom.js';
import { mood, short, time } from '../format.js';

const SCHEMA = 'https://emulator.invalid/baidu/picture.json';
const LISTED = 100;
const MAGIC = [['iVBORw0KGgo', 'image/png', 'png'], ['/9j/', 'image/jpeg', 'jpg'], ['Qk', 'image/bmp', 'bmp']];
/** Signs at either end of a picture's Base64 that a rule compares. */
const ENDS = 40;

/** @typedef {{name: string, word: string, was: string, location: {left: number, top: number, width: number, height: number}|null, sure: number|null, entry: any, receipt: number}} Word */

/** @param {HTMLElement} container @param {any} context */
export function mount(container, context) {
  const { api, root, store, t, attempt, toast } = context;
  let ended = false;
  let open = '';
  let url = '';
  let turn = 0;

  const list = h('ol.picks', { 'aria-label': t('recognition.list') });
  const detail = h('div.reading', {});
  const waves = h('section.waves', { 'aria-label': t('wave.title') });
  fill(container, h('div.page', {},
    h('div.aside', {}, h('section', {}, h('h2', {}, t('recognition.list')), list), detail),
    waves));

  // Which

  function recognitions() {
    return store.rows.filter((row) => row.kind === 'request' && row.operation?.startsWith('baidu.iocr')).slice(-LISTED).reverse();
  }

  function refresh() {
    const rows = recognitions();
    fill(list, rows.length === 0 && h('li.nothing', {}, t('recognition.none'), ' ', h('a', { href: context.address('tryit', 'baidu.iocr.recognise') }, t('recognition.try'))),
      rows.map((row) => h('li', {}, h('a.pick', { href: context.address('recognition', String(row.number)), 'aria-current': String(row.number) === open ? 'true' : null },
        h('b', {}, `#${row.number}`), h('span', {}, short(row.operation)), h('span.pill', { class: mood(row.status, row.code) }, row.code === null || row.code === undefined ? String(row.status) : String(row.code)), h('time.hint', {}, time(row.at, false))))));
    if (!open && rows.length) show(String(rows[0].number));
  }

  // One of them

  async function show(number) {
    open = number;
    for (const each of list.querySelectorAll('a')) {
      if (each.getAttribute('href') === context.address('recognition', number)) each.setAttribute('aria-current', 'true');
      else each.removeAttribute('aria-current');
    }
    const mine = ++turn;
    fill(detail, h('p.wait', {}, t('wait')));
    const request = await attempt(() => api.get(`requests/${number}`));
    if (ended || mine !== turn) return;
    if (!request) return fill(detail, h('p.nothing', {}, t('recognition.gone', { number })));
    let sent = {};
    let missing = '';
    try {
      const body = await root.text(`api/${api.path(`requests/${number}/body`)}`);
      sent = Object.fromEntries([...new URLSearchParams(body), ...new URLSearchParams(request.query)]);
    } catch (error) {
      missing = error.message;
    }
    if (ended || mine !== turn) return;
    const found = picture(sent, missing);
    const size = found.blob ? await sizeOf(found.blob) : null;
    if (ended || mine !== turn) return;
    draw(request, sent, found, size);
  }

  /** The picture that was sent, or why there is none to show. */
  function picture(sent, missing) {
    if (missing) return { why: t('recognition.cut', { detail: missing }) };
    if (sent.image !== undefined) {
      const plain = sent.image.replace(/^data:[^,]*,/, '').replaceAll(/\s/g, '+').replaceAll('%2B', '+');
      const kind = MAGIC.find(([magic]) => plain.startsWith(magic));
      try {
        const bytes = Uint8Array.from(atob(plain), (sign) => sign.charCodeAt(0));
        return { bytes, text: sent.image, member: 'image', ending: kind?.[2] ?? 'bin', blob: kind ? new Blob([bytes], { type: kind[1] }) : null, why: kind ? '' : t('recognition.unknown') };
      } catch {
        return { why: t('recognition.base64') };
      }
    }
    if (sent.url !== undefined) return { why: t('recognition.url', { url: sent.url }), url: sent.url };
    if (sent.pdf_file !== undefined) return { why: t('recognition.pdf'), text: sent.pdf_file, member: 'pdf_file' };
    return { why: t('recognition.nothing') };
  }

  function sizeOf(blob) {
    if (url) URL.revokeObjectURL(url);
    url = URL.createObjectURL(blob);
    return new Promise((give) => {
      const image = new Image();
      image.onload = () => give({ width: image.naturalWidth, height: image.naturalHeight });
      image.onerror = () => give(null);
      image.src = url;
    });
  }

  function draw(request, sent, found, size) {
    const answer = parsed(request.reply.body);
    const words = wordsOf(answer);
    const rows = [];
    const shapes = words.map((word, at) => word.location && box(word, at, light));
    const extent = size ?? reach(words);
    const edge = Math.max(3, extent.width / 400);
    const view = svg('svg.boxes', {
      viewBox: `${-edge} ${-edge} ${extent.width + 2 * edge} ${extent.height + 2 * edge}`, role: 'img', 'aria-label': t('recognition.boxes', { count: words.filter((word) => word.location).length }),
    }, size ? svg('image', { href: url, width: size.width, height: size.height }) : svg('rect.paper', { width: extent.width, height: extent.height }), shapes.filter(Boolean));
    const labels = h('input', { type: 'checkbox', id: 'labels', checked: true, on: { change: () => view.classList.toggle('bare', !labels.checked) } });

    function light(at, on) {
      shapes[at]?.classList.toggle('lit', on);
      rows[at]?.classList.toggle('lit', on);
    }

    const changed = () => words.some((word) => word.word !== word.was);
    const state = h('span.hint', { role: 'status' });
    const keeps = [
      button({ text: t('recognition.fixture'), icon: 'download', title: t('recognition.fixture.title'), disabled: !words.length, act: () => keep(request, sent, found, answer, words) }),
      button({ text: t('recognition.now'), icon: 'bolt', title: t('recognition.now.title'), disabled: !words.length || !answer, act: () => use(request, sent, found, answer, words) }),
    ];
    words.forEach((word, at) => {
      const field = h('input', { type: 'text', value: word.word, 'aria-label': word.name || t('recognition.line', { number: at + 1 }), on: {
        input: () => {
          word.word = field.value;
          rows[at].classList.toggle('edited', word.word !== word.was);
          const text = shapes[at]?.querySelector('text');
          if (text) text.textContent = word.word;
          fill(state, changed() ? t('recognition.edited') : '');
        },
        focus: () => light(at, true), blur: () => light(at, false),
      } });
      rows.push(h('tr', { on: { mouseenter: () => light(at, true), mouseleave: () => light(at, false) } },
        h('th', { scope: 'row' }, word.name || h('span.hint', {}, t('recognition.line', { number: at + 1 }))), h('td', {}, field),
        h('td.number.hint', {}, word.sure === null ? '' : `${(word.sure * 100).toFixed(1)} %`)));
    });

    fill(detail,
      h('div.bar', {}, h('h2', {}, `#${request.number} ${short(request.operation)}`),
        h('span.pill', { class: mood(request.status, request.code) }, request.code === null ? String(request.status) : String(request.code)),
        h('span.hint', {}, said(answer)), h('span.gap'), h('a', { href: context.address('flow', 'r', String(request.number)) }, t('recognition.request'))),
      request.reason && h('p.reason', {}, h('b', {}, t('try.reason')), ' ', request.reason),
      found.why && h('p.notice', {}, found.why),
      h('div.abreast.wide', {},
        h('div', {}, (size || words.some((word) => word.location)) && [h('div.frame', {}, view), h('div.bar', {}, h('label', { for: 'labels' }, labels, t('recognition.labels')), size && h('span.hint', {}, `${size.width} × ${size.height}`))]),
        h('div', {}, words.length ? [
          h('div.scroll', { tabindex: 0, role: 'region', 'aria-label': t('recognition.words') }, h('table.grid.words', {}, h('thead', {}, h('tr', {}, ['recognition.field', 'recognition.word', 'recognition.sure'].map((name) => h('th', { scope: 'col' }, t(name))))), h('tbody', {}, rows))),
          h('div.bar', {}, keeps, state), h('p.hint', {}, t('recognition.keep'))] : h('p.nothing', {}, t('recognition.nowords')))));
  }

  function said(answer) {
    const data = answer?.data ?? {};
    return [data.templateName ?? data.templateSign, data.isStructured === false && t('recognition.loose')].filter(Boolean).join(' · ');
  }

  /** The fixture that says what this picture shows, as a file. */
  async function keep(request, sent, found, answer, words) {
    const fixture = await fixtureOf(request, sent, found, answer, words);
    const name = found.bytes && !fixture.sha256 ? `picture.${found.ending}.json` : `picture-${(fixture.sha256 ?? String(request.number)).slice(0, 8)}.json`;
    save(name, `${JSON.stringify(fixture, null, 2)}\n`);
    toast(t('recognition.saved', { name }));
  }

  /** From now on the same picture is answered so, in this account. */
  async function use(request, sent, found, answer, words) {
    const reply = structuredClone(answer);
    const entries = wordsOf(reply);
    words.forEach((word, at) => (entries[at].entry.word = word.word));
    const properties = {};
    if (sent.templateSign) properties.templateSign = { const: sent.templateSign };
    if (found.text) properties[found.member] = alike(found.text);
    if (found.url) properties.url = { const: found.url };
    const rule = { name: t('recognition.rule', { number: request.number }), priority: 10, when: { operation: request.operation, params: { required: Object.keys(properties), properties } }, then: { reply: { body: reply } } };
    const made = await attempt(() => api.post('rules', rule));
    if (made) toast(t('recognition.used', { name: made.name }));
  }

  // Waveforms

  async function drawWaves() {
    const { tasks } = await api.get('tasks', { operation: 'kingsoft.CreateWaveTask', limit: 6 }).catch(() => ({ tasks: [] }));
    const sent = await Promise.all(tasks.map((task) => api.get('deliveries', { task: task.id, limit: 1 }).catch(() => ({ deliveries: [] }))));
    if (ended) return;
    const rows = tasks.map((task, at) => {
      const body = sent[at].deliveries.at(-1)?.request.body;
      const points = numbersIn(body === undefined ? undefined : parsed(body));
      const { points: asked, DstBucket: bucket, DstObjectKey: file } = task.parameters;
      return h('li.wave', {},
        h('div.bar', {}, h('a', { href: context.address('tasks', task.id) }, h('code', {}, task.id.slice(0, 12))), h('span.pill', { class: task.status === 'failed' ? 'bad' : 'ok' }, t(`wave.${task.status}`)), h('span.hint', {}, t('wave.asked', { count: asked, file: `/${bucket}/${file}` })), body !== undefined && copyButton(() => body, t('wave.copy'))),
        points ? curve(points, t('wave.curve', { count: points.length })) : h('p.nothing', {}, t(body === undefined ? 'wave.uncalled' : 'wave.nopoints')));
    });
    fill(waves, h('h2', {}, t('wave.title')), h('p.hint', {}, t('wave.hint')), rows.length ? h('ol', {}, rows) : h('p.nothing', {}, t('wave.none')));
  }

  let due = 0;
  const unsubscribe = store.subscribe((heard) => {
    if (!['request', 'load', 'reset', 'filled', 'delivery', 'task'].some((kind) => heard.has(kind)) || due) return;
    due = setTimeout(() => {
      due = 0;
      refresh();
      if (heard.has('delivery') || heard.has('task') || heard.has('load') || heard.has('reset')) drawWaves();
    }, 250);
  });
  if (context.rest[0]) show(context.rest[0]);
  refresh();
  drawWaves();
  const end = () => {
    ended = true;
    unsubscribe();
    clearTimeout(due);
    if (url) URL.revokeObjectURL(url);
  };
  end.update = (rest) => rest[0] && rest[0] !== open && show(rest[0]);
  return end;
}

function box(word, at, light) {
  const { left, top, width, height } = word.location;
  const size = Math.max(8, height * 0.45);
  return svg('g.box', { on: { mouseenter: () => light(at, true), mouseleave: () => light(at, false) } },
    svg('rect', { x: left, y: top, width, height, rx: Math.min(6, height / 8) }),
    svg('text', { x: left, y: top - size * 0.3, 'font-size': size }, word.word),
    svg('title', {}, word.name ? `${word.name}: ${word.was}` : word.was));
}

/** Every word of an answer, in order, each with where it is in the document. @returns {Word[]} */
export function wordsOf(answer) {
  const found = [];
  const look = (entries, receipt) => (Array.isArray(entries) ? entries : []).forEach((entry, at) => {
    if (Array.isArray(entry?.ret)) look(entry.ret, at);
    else if (typeof entry?.word === 'string') {
      found.push({ name: entry.word_name ?? '', word: entry.word, was: entry.word, location: entry.location ?? null, sure: entry.probability?.average ?? null, entry, receipt });
    }
  });
  look(answer?.data?.ret, -1);
  return found;
}

/** The document of `schemas/baidu/picture.json` that makes the emulator read these words in this picture. */
async function fixtureOf(request, sent, found, answer, words) {
  const data = answer?.data ?? {};
  const fixture = { $schema: SCHEMA, title: `request ${request.number}` };
  if (found.bytes && crypto.subtle) fixture.sha256 = hex(await crypto.subtle.digest('SHA-256', found.bytes));
  if (found.url) fixture.url = found.url;
  const named = (list) => Object.fromEntries(list.map((word) => [word.name, word.word]));
  const receipts = (data.ret ?? []).filter((entry) => Array.isArray(entry.ret));
  if (receipts.length) fixture.receipts = receipts.map((entry, at) => ({ template: entry.templateSign, words: named(words.filter((word) => word.receipt === at)) }));
  else if (data.isStructured === false) fixture.lines = words.map((word) => ({ word: word.word, ...(word.location ? { location: word.location } : {}) }));
  else {
    fixture.template = data.templateSign ?? sent.templateSign;
    fixture.words = named(words);
  }
  return fixture;
}

/** The schema of a text that is as long as `text`, begins and ends as it does. */
function alike(text) {
  const literal = (part) => part.replaceAll(/[+/=.\\]/g, '\\$&');
  const pattern = text.length <= 2 * ENDS ? `^${literal(text)}$` : `^${literal(text.slice(0, ENDS))}[^,]*${literal(text.slice(-ENDS))}$`;
  return { minLength: text.length, maxLength: text.length, pattern };
}

/** How far the boxes reach, for a picture that is not there. */
function reach(words) {
  const boxes = words.filter((word) => word.location).map((word) => word.location);
  return {
    width: Math.max(100, ...boxes.map((each) => each.left + each.width + 20)),
    height: Math.max(60, ...boxes.map((each) => each.top + each.height + 20)),
  };
}

/** The first list of numbers in a document, if there is one. */
export function numbersIn(value) {
  if (typeof value === 'string' && /^\s*[[{]/.test(value)) return numbersIn(parsed(value));
  if (value === null || typeof value !== 'object') return null;
  if (Array.isArray(value) && value.length > 2 && value.every((each) => typeof each === 'number')) return value;
  for (const each of Object.values(value)) {
    const found = numbersIn(each);
    if (found) return found;
  }
  return null;
}

function curve(points, label) {
  const low = Math.min(0, ...points);
  const range = Math.max(...points) - low || 1;
  const line = points.map((each, at) => `${((at / (points.length - 1)) * 1000).toFixed(1)},${(100 - ((each - low) / range) * 100).toFixed(1)}`).join(' ');
  return svg('svg.curve', { viewBox: '0 0 1000 100', preserveAspectRatio: 'none', role: 'img', 'aria-label': label }, svg('polyline', { points: line }));
}

function hex(buffer) {
  return [...new Uint8Array(buffer)].map((each) => each.toString(16).padStart(2, '0')).join('');
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
