// Keeps the operators' page up to date: what happens is told by the event stream, and the parts of
// the page it touches are fetched anew. After a pause everything is fetched: nothing is sent twice.
"use strict";

// A page of its own subject follows its own stream: who reads it need not be allowed the whole.
const STREAM = document.currentScript.dataset.stream || "/live";
const AT_MOST_EVERY_MS = 1000;
const ANYWAY_EVERY_MS = 15000;

const dirty = new Set();
let hub_ahead_ms = 0;
let fetching = false;
let last_fetch_ms = 0;

const parts = () => [...document.querySelectorAll("[data-part]")];
// As the hub gave them: what somebody opened or typed since is no reason to draw them anew.
const given = new Map(parts().map((part) => [part.dataset.part, part.outerHTML]));

function say(state, words) {
  document.getElementById("live").dataset.state = state;
  document.getElementById("live-words").textContent = words;
  const stale = document.getElementById("stale");
  if (stale) stale.hidden = state !== "off";
}

function touch(kind) {
  for (const part of parts()) {
    const kinds = part.dataset.kinds.split(" ");
    if (kind === "" || kinds.some((each) => each === "" || kind.startsWith(each))) {
      dirty.add(part.dataset.part);
    }
  }
  freshen();
}

async function freshen() {
  if (fetching || dirty.size === 0) return;
  fetching = true;
  try {
    await new Promise((go) => setTimeout(go, last_fetch_ms + AT_MOST_EVERY_MS - Date.now()));
    const wanted = [...dirty];
    dirty.clear();
    last_fetch_ms = Date.now();
    const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
    if (answer.redirected) return location.replace(`/login?next=${encodeURIComponent(location.pathname)}`);
    if (!answer.ok) throw new Error(`the hub answered ${answer.status}`);
    const told = Date.parse(answer.headers.get("Date"));
    if (told) hub_ahead_ms = told + 500 - Date.now();
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const name of wanted) swap(name, fresh);
  } catch (error) {
    say("off", "not connected");
  } finally {
    fetching = false;
    if (dirty.size) setTimeout(freshen, AT_MOST_EVERY_MS);
  }
}

function swap(name, fresh) {
  const was = document.querySelector(`[data-part="${name}"]`);
  const is = fresh.querySelector(`[data-part="${name}"]`);
  if (!was || !is || given.get(name) === is.outerHTML) return;
  given.set(name, is.outerHTML);
  const stamps = new Map([...was.querySelectorAll("[data-key]")].map((row) => [row.dataset.key, row.dataset.stamp]));
  const focused = was.contains(document.activeElement) && address(document.activeElement);
  const filled = [...was.querySelectorAll("input, select")].map((one) => [address(one), one.value]);
  const scrolled = [...was.querySelectorAll(".scroll")].map((one) => one.scrollLeft);
  const opened = [...was.querySelectorAll("details")].map((one) => one.open);
  was.replaceWith(is);
  for (const row of is.querySelectorAll("[data-key]")) {
    if (stamps.get(row.dataset.key) !== row.dataset.stamp) row.classList.add("changed");
  }
  for (const [where, value] of filled) fill(is.querySelector(where), value);
  is.querySelectorAll(".scroll").forEach((one, at) => (one.scrollLeft = scrolled[at] || 0));
  is.querySelectorAll("details").forEach((one, at) => (one.open = opened[at] || one.open));
  if (focused) is.querySelector(focused)?.focus();
}

// Somebody may be about to press a button, or be writing: the same one is found in the new part.
function address(one) {
  const row = one.closest("[data-key]");
  const named = ["href", "name", one.localName === "button" ? "value" : "type", "aria-label"]
    .filter((each) => one.hasAttribute(each))
    .map((each) => `[${each}="${CSS.escape(one.getAttribute(each))}"]`);
  return `${row ? `[data-key="${CSS.escape(row.dataset.key)}"] ` : ""}${one.localName}${named.join("")}`;
}

function fill(one, value) {
  if (!one || one.type === "hidden") return;
  if (one.localName !== "select" || [...one.options].some((each) => each.value === value)) one.value = value;
}

let backoff_ms = 1000;
function follow() {
  const stream = new EventSource(STREAM);
  stream.addEventListener("ready", () => {
    backoff_ms = 1000;
    say("on", "live");
    touch("");
  });
  stream.onmessage = (message) => touch(JSON.parse(message.data).kind);
  stream.onerror = async () => {
    say("off", "not connected");
    if (stream.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    stream.close();
    await renew(60 * 1000).catch(() => false);
    setTimeout(follow, backoff_ms);
    backoff_ms = Math.min(backoff_ms * 2, 30000);
  };
}

setInterval(() => {
  const now = new Date(Date.now() + hub_ahead_ms);
  document.getElementById("utc").textContent = `${now.toISOString().slice(11, 19)} UTC`;
}, 1000);
setInterval(() => document.hidden || touch(""), ANYWAY_EVERY_MS);
follow();
