/** What happened in one account: rows from what is remembered, and from what happens while it is looked at. */

const PAGE = 2000;
const MOST = 20_000;
const TELL = 90;
const AGAIN = 1500;

/**
 * @typedef {Object} Row
 * @property {string} id of the row
 * @property {'request'|'task'|'delivery'|'clock'|'rule'|'reset'} kind
 * @property {number} at the account's time
 * @property {number} v raised whenever it changes
 * @property {string} [text] what is searched, lower case; worked out when first wanted
 */

/** The rows of an account, oldest first, kept up to date. */
export class Store {
  /** @param {ReturnType<import('./api.js').Api['account']>} api */
  constructor(api) {
    this.api = api;
    this.state = 'loading';
    this.version = 0;
    this.forgotten = 0;
    this.clock = null;
    this.since = 0;
    this.failures = {};
    this.listeners = new Set();
    this.clear();
  }

  clear() {
    this.history = [];
    this.live = [];
    this.byId = new Map();
    this.bare = { request: new Set(), delivery: new Set() };
    this.joined = null;
  }

  /** @returns {Row[]} */
  get rows() {
    this.joined ??= this.history.length ? this.history.concat(this.live) : this.live.slice();
    return this.joined;
  }

  /** The account's time now, as far as is known. */
  now() {
    if (!this.clock) return Date.now() / 1000;
    const passed = this.clock.mode === 'frozen' ? 0 : ((performance.now() - this.since) / 1000) * this.clock.speed;
    return this.clock.now + passed;
  }

  /** Call `heed(what)` after changes; `what` has the kinds of events that came. @returns {() => void} ends it */
  subscribe(heed) {
    this.listeners.add(heed);
    return () => this.listeners.delete(heed);
  }

  /** Load what is remembered, then follow. */
  async start() {
    this.ended = false;
    this.stopFollowing?.();
    this.state = 'loading';
    const mine = (this.run = {});
    try {
      const [requests, deliveries, tasks] = await Promise.all([
        this.api.get('flow/requests', { limit: PAGE }),
        this.api.get('flow/deliveries', { limit: PAGE }),
        this.api.get('flow/tasks', { limit: PAGE }),
        this.lookAtClock(),
      ]);
      if (this.ended || this.run !== mine) return;
      this.clear();
      this.failures = tasks.failures;
      this.forgotten = requests.evicted;
      this.past = { requests: requests.entries, deliveries: deliveries.deliveries, tasks: tasks.tasks };
      this.#merge();
      this.note('load');
      this.stopFollowing = this.api.follow(Math.min(requests.event, deliveries.event, tasks.event), {
        event: (kind, data, number) => this.run === mine && this.#event(kind, data, number),
        state: (state) => {
          if (this.run !== mine) return;
          this.state = state;
          this.note('state');
        },
      });
      await this.#older(mine);
    } catch (error) {
      if (this.ended || this.run !== mine) return;
      this.state = 'lost';
      this.error = error;
      this.note('state');
      this.retrying = setTimeout(() => this.start(), AGAIN);
    }
  }

  stop() {
    this.ended = true;
    this.run = null;
    this.stopFollowing?.();
    clearTimeout(this.telling);
    clearTimeout(this.retrying);
  }

  /** Ask for what is older, page by page. */
  async #older(mine) {
    for (const [kind, list, path] of [['requests', 'entries', 'flow/requests'], ['deliveries', 'deliveries', 'flow/deliveries']]) {
      while (this.past[kind].length >= PAGE && this.past[kind].length < MOST / 2 && this.past[kind].length % PAGE === 0) {
        const page = (await this.api.get(path, { limit: PAGE, before: this.past[kind][0].number }))[list];
        if (this.run !== mine || !page.length) break;
        this.past[kind] = page.concat(this.past[kind]);
        this.#merge();
        this.note('load');
      }
    }
  }

  /** Put what is remembered into one order; each list has its own already. */
  #merge() {
    const { requests, deliveries, tasks } = this.past;
    const lists = [requests.map(requestRow), tasks.map(taskRow), deliveries.map(deliveryRow)];
    const places = [0, 0, 0];
    const merged = [];
    for (;;) {
      let first = -1;
      for (let each = 0; each < 3; each++) {
        const row = lists[each][places[each]];
        if (row && (first < 0 || row.at < lists[first][places[first]].at)) first = each;
      }
      if (first < 0) break;
      const row = lists[first][places[first]++];
      const known = this.byId.get(row.id);
      if (known?.live) continue;
      merged.push(row);
      this.byId.set(row.id, row);
    }
    this.history = merged;
    this.joined = null;
  }

  #event(kind, data, number) {
    switch (kind) {
      case 'request': {
        const row = this.#row(`r${data.number}`, 'request', data, { number: data.number, method: '', path: '', reason: '', tasks: [], rules: [] });
        Object.assign(row, { operation: data.operation, status: data.status, code: data.code });
        if (!row.method) this.bare.request.add(data.number);
        break;
      }
      case 'task': {
        const row = this.#row(`t${data.id}`, 'task', data, { task: data.id, request: 0 });
        Object.assign(row, { operation: data.operation, status: data.status, percent: data.percent });
        break;
      }
      case 'delivery': {
        const row = this.#row(`d${data.number}`, 'delivery', data, { number: data.number, operation: '', url: '', chaos: [], copy_of: null, error: '', answered: null });
        if (row.status !== data.status || row.attempts !== data.attempts) this.bare.delivery.add(data.number);
        Object.assign(row, { task: data.task, event: data.event, status: data.status, attempts: data.attempts });
        break;
      }
      case 'clock':
        this.#row(`e${number}`, 'clock', data, { from: data.from, events: data.events, mode: data.mode });
        break;
      case 'rule':
        this.#row(`e${number}`, 'rule', data, { rule: data.id, change: data.change });
        break;
      case 'reset':
        this.clear();
        this.#row(`e${number}`, 'reset', data, {});
        break;
      case 'gap':
        this.start();
        return;
    }
    this.note(kind);
  }

  /** The row of that id; a new one at the end if there is none. @returns {any} */
  #row(id, kind, data, more) {
    let row = this.byId.get(id);
    if (!row) {
      row = { id, kind, at: data.at, v: 0, live: true, ...more };
      this.byId.set(id, row);
      this.live.push(row);
      this.joined?.push(row);
      if (this.live.length + this.history.length > MOST) this.#forget();
    }
    row.v += 1;
    row.text = undefined;
    return row;
  }

  #forget() {
    const dropped = (this.history.length ? this.history : this.live).splice(0, MOST / 10);
    for (const row of dropped) this.byId.delete(row.id);
    this.joined = null;
  }

  /** Something happened; whoever listens is told soon, once for much. */
  note(kind) {
    this.version += 1;
    this.heard ??= new Set();
    this.heard.add(kind);
    this.telling ??= setTimeout(() => {
      this.telling = undefined;
      const heard = this.heard;
      this.heard = undefined;
      for (const heed of this.listeners) heed(heard);
      this.#complete();
      if (heard.has('clock') || heard.has('task') || heard.has('delivery') || heard.has('reset')) this.lookAtClock().catch(() => {});
    }, TELL);
  }

  /** Ask for what events do not say. */
  async #complete() {
    if (this.completing || (!this.bare.request.size && !this.bare.delivery.size)) return;
    this.completing = true;
    try {
      await Promise.all([this.#fetch('request', 'flow/requests', 'entries', requestRow), this.#fetch('delivery', 'flow/deliveries', 'deliveries', deliveryRow)]);
    } catch { /* the next event asks again */ } finally {
      this.completing = false;
    }
  }

  async #fetch(kind, path, list, made) {
    const wanted = this.bare[kind];
    if (!wanted.size) return;
    this.bare[kind] = new Set();
    const numbers = [...wanted].sort((a, b) => a - b);
    const query = { after: numbers[0] - 1, before: numbers.at(-1) + 1, limit: PAGE };
    for (const document of (await this.api.get(path, query))[list]) {
      const fresh = made(document);
      const row = this.byId.get(fresh.id);
      if (row && wanted.has(document.number)) Object.assign(row, fresh, { at: row.at, v: row.v + 1, live: row.live, text: undefined });
    }
    this.note('filled');
  }

  /** Ask for the account's time. */
  async lookAtClock() {
    if (this.looking) {
      this.again = true;
      return;
    }
    this.looking = true;
    try {
      this.set(await this.api.get('clock'));
    } finally {
      this.looking = false;
      if (this.again) {
        this.again = false;
        setTimeout(() => !this.ended && this.lookAtClock().catch(() => {}), 300);
      }
    }
  }

  /** The clock is that. */
  set(clock) {
    this.clock = clock;
    this.since = performance.now();
    for (const heed of this.listeners) heed(new Set(['time']));
  }
}

function requestRow(entry) {
  if ('from' in entry) return { id: `c${entry.number}`, kind: 'clock', at: entry.at, v: 1, from: entry.from, events: entry.events };
  return { id: `r${entry.number}`, kind: 'request', v: 1, ...entry };
}

const taskRow = (task) => ({
  id: `t${task.id}`, kind: 'task', v: 1, at: task.stages.start, task: task.id, operation: task.operation, status: task.status,
  percent: task.percent, request: task.request, code: task.status === 'failed' ? task.code : null,
});

function deliveryRow(row) {
  const last = row.attempts.at(-1);
  return {
    id: `d${row.number}`, kind: 'delivery', v: 1, at: row.due, number: row.number, task: row.task, operation: row.operation,
    event: row.event, status: row.status, url: row.url, chaos: row.chaos, copy_of: row.copy_of, attempts: row.attempts.length,
    error: last?.error ?? '', answered: last?.status ?? null,
  };
}

/** What a search looks at. @param {any} row */
export function textOf(row) {
  row.text ??= [
    row.kind, row.number && `#${row.number}`, row.operation, row.method, row.path, row.code, row.reason, row.task, row.event,
    row.status, row.url, row.error, ...(row.tasks ?? []), ...(row.rules ?? []), ...(row.chaos ?? []), row.rule,
  ].filter((part) => part !== null && part !== undefined && part !== '').join(' ').toLowerCase();
  return row.text;
}

const MEMBERS = { op: 'operation', operation: 'operation', status: 'status', code: 'code', task: 'task', path: 'path', event: 'event' };

/**
 * The condition that a person typed: words that all must be there, `-word` for those that must not, `code:1000` for one member.
 * @param {string} typed @returns {(row: any) => boolean}
 */
export function condition(typed) {
  const parts = typed.toLowerCase().split(/\s+/).filter(Boolean).map((word) => {
    const not = word.length > 1 && word.startsWith('-');
    const plain = not ? word.slice(1) : word;
    const at = plain.indexOf(':');
    const member = at > 0 ? MEMBERS[plain.slice(0, at)] : undefined;
    const value = member ? plain.slice(at + 1) : plain;
    return (row) => {
      const text = member === 'task' ? [row.task, ...(row.tasks ?? [])].join(' ') : member ? String(row[member] ?? '') : textOf(row);
      return text.toLowerCase().includes(value) !== not;
    };
  });
  return (row) => parts.every((part) => part(row));
}
