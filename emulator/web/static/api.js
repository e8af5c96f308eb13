/** The admin API: requests with the token where there is one, and the stream of events. */

const BASE = new URL('api/', document.baseURI);
const TOKEN = 'emulator-token';

/** What the admin API refused, in its own words. */
export class Refusal extends Error {
  /** @param {number} status @param {{detail?: string, problems?: {in: string, pointer: string, message: string}[]}} document */
  constructor(status, document) {
    super(document.detail ?? `HTTP ${status}`);
    this.status = status;
    this.problems = document.problems ?? [];
    this.document = document;
  }
}

/** Talks to the admin API. `ask` is called when it wants a token, and answers when there is one. */
export class Api {
  /** @param {() => Promise<string>} ask */
  constructor(ask) {
    this.ask = ask;
    this.asking = null;
  }

  get token() {
    return sessionStorage.getItem(TOKEN) ?? '';
  }

  /** The same API below an account. @param {string} name */
  account(name) {
    const prefix = `accounts/${encodeURIComponent(name)}`;
    const below = (path) => (path ? `${prefix}/${path}` : prefix);
    return {
      name,
      path: below,
      get: (path = '', query) => this.get(below(path), query),
      post: (path, document) => this.send('POST', below(path), document),
      put: (path, document) => this.send('PUT', below(path), document),
      patch: (path, document) => this.send('PATCH', below(path), document),
      delete: (path = '') => this.send('DELETE', below(path)),
      blob: (path) => this.blob(below(path)),
      follow: (after, heed) => this.follow(`${below('events')}`, after, heed),
    };
  }

  /** A document. @param {string} path below `/_emulator/api/` @param {Object<string, any>} [query] */
  async get(path, query = {}) {
    const url = new URL(path, BASE);
    for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== null) url.searchParams.set(name, value);
    return (await this.fetch(url)).json();
  }

  /** What comes of sending `document`; `null` if nothing comes back. */
  async send(method, path, document) {
    const body = document === undefined ? {} : { body: typeof document === 'string' ? document : JSON.stringify(document) };
    const headers = document === undefined ? {} : { 'Content-Type': 'application/json' };
    const answer = await this.fetch(new URL(path, BASE), { method, headers, ...body });
    return answer.status === 204 ? null : answer.json();
  }

  post(path, document) {
    return this.send('POST', path, document);
  }

  async blob(path) {
    return (await this.fetch(new URL(path, BASE))).blob();
  }

  /** A text that is not below `api/`. */
  async text(path) {
    return (await this.fetch(new URL(path, document.baseURI))).text();
  }

  /**
   * The answer, or a {@link Refusal}. Asks for the token if one is wanted, and then again.
   * @param {URL} url @param {RequestInit} [options] @returns {Promise<Response>}
   */
  async fetch(url, options = {}) {
    for (;;) {
      const used = this.token;
      const headers = { ...options.headers, ...(used ? { Authorization: `Bearer ${used}` } : {}) };
      const answer = await fetch(url, { ...options, headers });
      if (answer.ok) return answer;
      if (answer.status !== 401) throw new Refusal(answer.status, await answer.json().catch(() => ({ detail: answer.statusText })));
      if (used === this.token) {
        this.asking ??= this.ask().finally(() => (this.asking = null));
        sessionStorage.setItem(TOKEN, await this.asking);
      }
    }
  }

  /**
   * Follow a stream of events from number `after` on, over broken connections.
   * @param {string} path @param {number} after
   * @param {{event: (kind: string, data: any, number: number) => void, state: (state: 'live'|'lost') => void}} heed
   * @returns {() => void} ends it
   */
  follow(path, after, heed) {
    const ended = new AbortController();
    let position = after;
    const read = async () => {
      const url = new URL(path, BASE);
      url.searchParams.set('after', position);
      const answer = await this.fetch(url, { signal: ended.signal, cache: 'no-store' });
      heed.state('live');
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = '';
      for (;;) {
        const { value, done } = await reader.read();
        if (done || ended.signal.aborted) return;
        const blocks = (rest + value).split('\n\n');
        rest = blocks.pop();
        for (const block of blocks) {
          const { id, event, data } = fields(block);
          if (id !== undefined) position = Number(id);
          if (event) heed.event(event, JSON.parse(data), position);
        }
      }
    };
    (async () => {
      for (let wait = 500; !ended.signal.aborted; wait = Math.min(5000, wait * 2)) {
        const began = performance.now();
        await read().catch(() => {});
        if (ended.signal.aborted) return;
        heed.state('lost');
        if (performance.now() - began > 5000) wait = 500;
        await new Promise((go) => setTimeout(go, wait));
      }
    })();
    return () => ended.abort();
  }
}

function fields(block) {
  const found = {};
  for (const line of block.split('\n')) {
    const at = line.indexOf(':');
    if (at > 0) found[line.slice(0, at)] = line.slice(at + 1).trimStart();
  }
  return found;
}
