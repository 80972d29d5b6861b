// Slack's markup as nodes: *bold*, _italic_, ~strike~, `code`, blocks of code, quotes, links, mentions, dates.

import { h, link } from "./dom.js";

const EMOJI = {
  white_check_mark: "✅", warning: "⚠️", rotating_light: "🚨", red_circle: "🔴", large_green_circle: "🟢",
  large_yellow_circle: "🟡", large_orange_circle: "🟠", large_blue_circle: "🔵", white_circle: "⚪", eyes: "👀",
  bell: "🔔", x: "❌", information_source: "ℹ️", mag: "🔍", mag_right: "🔎", hammer_and_wrench: "🛠️", fire: "🔥",
  small_red_triangle: "🔺", exclamation: "❗", pager: "📟", thumbsup: "👍", "+1": "👍", "-1": "👎", link: "🔗",
  chart_with_downwards_trend: "📉", chart_with_upwards_trend: "📈", hourglass: "⌛", zzz: "💤",
};
const STYLES = { "*": "strong", _: "em", "~": "s" };
const DAY_MS = 86_400_000;

/** Return a text with Slack's three entities read. */
export function unescape(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

/** Return plain text in which `:emoji:` names are shown. */
export function plain(text) {
  return text.replace(/:([a-z0-9_+-]+):/g, (all, name) => EMOJI[name] ?? all);
}

/** Return the nodes of a text; `names` tells who the ids in mentions are. */
export function mrkdwn(text, names) {
  const out = document.createDocumentFragment();
  text.split("```").forEach((part, index, parts) => {
    const closed = index % 2 === 1 && index < parts.length - 1;
    if (closed) out.append(h("pre", {}, h("code", {}, unescape(part.replace(/^\n|\n$/g, "")))));
    else appendLines(out, index % 2 === 1 ? "```" + part : part, names);
  });
  return out;
}

function appendLines(out, text, names) {
  const lines = text.split("\n");
  let quote = null;
  lines.forEach((line, index) => {
    const quoted = /^&gt; ?/.exec(line);
    if (quoted) {
      quote ??= out.appendChild(h("blockquote"));
      if (quote.childNodes.length) quote.append(h("br"));
      appendInline(quote, line.slice(quoted[0].length), names);
      return;
    }
    if (index > 0 && quote === null) out.append(h("br"));
    quote = null;
    appendInline(out, line, names);
  });
}

function appendInline(out, text, names) {
  let plainText = "";
  const flush = () => {
    if (plainText) out.append(unescape(plain(plainText)));
    plainText = "";
  };
  for (let at = 0; at < text.length; ) {
    const found = tokenAt(text, at, names);
    if (found) {
      flush();
      out.append(found.node);
      at += found.length;
    } else {
      plainText += text[at];
      at += 1;
    }
  }
  flush();
}

function tokenAt(text, at, names) {
  const sign = text[at];
  if (sign === "`") {
    const end = text.indexOf("`", at + 1);
    if (end <= at + 1) return null;
    return { node: h("code", {}, unescape(text.slice(at + 1, end))), length: end + 1 - at };
  }
  if (sign === "<") {
    const end = text.indexOf(">", at);
    if (end < 0) return null;
    return { node: reference(text.slice(at + 1, end), names), length: end + 1 - at };
  }
  return sign in STYLES ? styled(text, at, sign, names) : null;
}

function styled(text, at, sign, names) {
  if (isWord(text[at - 1]) || !text[at + 1] || text[at + 1] === " ") return null;
  for (let end = text.indexOf(sign, at + 2); end > 0; end = text.indexOf(sign, end + 1)) {
    if (text[end - 1] === " " || isWord(text[end + 1])) continue;
    const node = h(STYLES[sign]);
    appendInline(node, text.slice(at + 1, end), names);
    return { node, length: end + 1 - at };
  }
  return null;
}

function isWord(sign) {
  return sign !== undefined && /[\p{L}\p{N}]/u.test(sign);
}

function reference(inside, names) {
  const [target, label] = splitOnce(inside, "|");
  if (target.startsWith("@")) return mention("@" + (names.users[target.slice(1)]?.name ?? label ?? target.slice(1)));
  if (target.startsWith("#")) return mention("#" + (names.channels[target.slice(1)] ?? label ?? target.slice(1)));
  if (target.startsWith("!subteam^")) return mention("@" + (names.groups[target.slice(9)] ?? label ?? "a group"));
  if (target.startsWith("!date^")) return date(target, label);
  if (target.startsWith("!")) return mention("@" + (label ?? target.slice(1)));
  return link(unescape(target), unescape(label ?? target));
}

function splitOnce(text, sign) {
  const at = text.indexOf(sign);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function mention(text) {
  return h("span", { class: "mention" }, unescape(text));
}

function date(target, fallback) {
  const [, epoch, format = "{date_short_pretty} {time}"] = target.split("^");
  const moment = new Date(Number(epoch) * 1000);
  if (Number.isNaN(moment.getTime())) return document.createTextNode(unescape(fallback ?? target));
  const iso = moment.toISOString();
  const text = format.replace(/\{([a-z_]+)\}/g, (all, name) => datePart(name, moment) ?? all);
  return h("time", { datetime: iso, title: `${moment.toLocaleString()} (${iso})` }, unescape(text));
}

function datePart(name, moment) {
  const short = { month: "short", day: "numeric", year: "numeric" };
  const long = { weekday: "long", month: "long", day: "numeric", year: "numeric" };
  const formats = {
    date_num: { year: "numeric", month: "2-digit", day: "2-digit" },
    date: { month: "long", day: "numeric", year: "numeric" },
    date_short: short,
    date_long: long,
    time: { hour: "2-digit", minute: "2-digit" },
    time_secs: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
  };
  if (name in formats) return new Intl.DateTimeFormat(undefined, formats[name]).format(moment);
  if (!name.endsWith("_pretty")) return undefined;
  return near(moment) ?? datePart(name.replace("_pretty", ""), moment);
}

function near(moment) {
  const midnight = (one) => new Date(one.getFullYear(), one.getMonth(), one.getDate()).getTime();
  const days = Math.round((midnight(moment) - midnight(new Date())) / DAY_MS);
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days];
}
