// Numbers and times in words an operator reads at a glance. Times are UTC, as in the logs.

const plain = new Intl.NumberFormat("en");
const one = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const two = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });

export const count = (value) => plain.format(value);

/** A rate as it should be read: one decimal below 100. */
export const rate = (value) => (value < 100 ? one.format(value) : plain.format(Math.round(value)));

export function micros(us) {
  if (us === null || us === undefined) return "–";
  if (us < 1_000) return `${us} µs`;
  if (us < 10_000) return `${two.format(us / 1_000)} ms`;
  if (us < 100_000) return `${one.format(us / 1_000)} ms`;
  if (us < 1_000_000) return `${Math.round(us / 1_000)} ms`;
  return `${two.format(us / 1_000_000)} s`;
}

export function span(ms) {
  const seconds = ms / 1_000;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (seconds < 60) return `${one.format(seconds)} s`;
  const whole = Math.floor(seconds);
  if (whole < 3_600) return both(whole, 60, "min", 1, "s");
  if (whole < 86_400) return both(whole, 3_600, "h", 60, "min");
  return both(whole, 86_400, "d", 3_600, "h");
}

/** A span in two units, the second one only where there is something of it. */
function both(seconds, large, largeName, small, smallName) {
  const rest = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)} ${largeName}${rest === 0 ? "" : ` ${rest} ${smallName}`}`;
}

export function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let size = value;
  let unit = 0;
  while (size >= 1_024 && unit < units.length - 1) {
    size /= 1_024;
    unit += 1;
  }
  return `${size < 100 && unit > 0 ? one.format(size) : plain.format(Math.round(size))} ${units[unit]}`;
}

export const percent = (basisPoints) => `${two.format(basisPoints / 100)} %`;

/** `11:03:20` of a time in milliseconds or RFC 3339. */
export const clock = (time) => new Date(time).toISOString().slice(11, 19);

/** `11:03:20.123`, with the day where it is not today. */
export function moment(time) {
  const [day, clockTime] = new Date(time).toISOString().slice(0, 23).split("T");
  return day === new Date().toISOString().slice(0, 10) ? clockTime : `${day} ${clockTime}`;
}

const digits = new Map();

/** Minor units as an amount of their currency. */
export function money(minor, currency) {
  if (!digits.has(currency)) {
    const format = new Intl.NumberFormat("en", { style: "currency", currency, currencyDisplay: "code" });
    digits.set(currency, format.resolvedOptions().maximumFractionDigits);
  }
  const decimals = digits.get(currency);
  const shown = new Intl.NumberFormat("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  // Adding 0 makes a plain zero of a negative one.
  return `${shown.format(minor / 10 ** decimals + 0)} ${currency}`;
}

/** A name of the API in words: `insufficient_stock`, «Insufficient stock». */
export function words(name) {
  const spaced = String(name).replaceAll("_", " ");
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

export const plural = (number, singular, several = `${singular}s`) =>
  `${count(number)} ${number === 1 ? singular : several}`;
