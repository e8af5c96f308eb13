/** Instants, durations, sizes and names as people read them. */

const two = (number) => String(number).padStart(2, '0');

/** The time of day of an instant in unix seconds, to the millisecond. */
export function time(at, milliseconds = true) {
  const date = new Date(at * 1000);
  const text = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return milliseconds ? `${text}.${String(date.getMilliseconds()).padStart(3, '0')}` : text;
}

/** Day and time of day. */
export function instant(at) {
  const date = new Date(at * 1000);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time(at, false)}`;
}

/** As ISO 8601 in UTC, for a tooltip. */
export function iso(at) {
  const date = new Date(at * 1000);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString();
}

/** A span of seconds: 350 ms, 4.2 s, 3 min 20 s, 2 h 5 min, 3 d. */
export function span(seconds) {
  const size = Math.abs(seconds);
  if (size === 0) return '0 s';
  if (size < 1) return `${Math.round(seconds * 1000)} ms`;
  if (size < 60) return `${Math.round(seconds * 10) / 10} s`;
  const whole = Math.round(size);
  if (size < 3600) return `${Math.floor(whole / 60)} min${whole % 60 ? ` ${whole % 60} s` : ''}`;
  if (size < 86400) return `${Math.floor(whole / 3600)} h${whole % 3600 >= 60 ? ` ${Math.floor((whole % 3600) / 60)} min` : ''}`;
  return `${Math.round(size / 8640) / 10} d`;
}

/** A number of bytes. */
export function bytes(number) {
  if (number < 1000) return `${number} B`;
  return number < 1e6 ? `${(number / 1000).toFixed(1)} kB` : `${(number / 1e6).toFixed(1)} MB`;
}

/** The cloud of an operation: what stands before its first dot. */
export const cloud = (operation) => (operation ? operation.split('.')[0] : '');

/** The operation without its cloud. */
export const short = (operation) => (operation ? operation.slice(operation.indexOf('.') + 1) : '');

/** A long id, shortened in its middle. */
export const brief = (id, length = 14) => (id.length <= length ? id : `${id.slice(0, length - 5)}…${id.slice(-4)}`);

/** How an HTTP status, or a code of refusal, is to be taken. @returns {'ok'|'bad'|'warn'} */
export function mood(status, code) {
  if (status >= 500 || status === 0) return 'bad';
  if (status >= 400 || (code !== null && code !== undefined)) return 'warn';
  return 'ok';
}
