// Keeps the operators' page up to date: what happens is told by the event stream, and the parts of
// the page it touches are fetched anew. After a pause everything is fetched: nothing is sent twice.
"use strict";

const AT_MOST_EVERY_MS = 1000;
const ANYWAY_EVERY_MS = 15000;

const dirty = new Set();
let hub_ahead_ms = 0;
let fetching = false;
let last_fetch_ms = 0;

const parts = () => [...document.querySelectorAll("[data-part]")];

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
  if (!was || !is || was.outerHTML === is.outerHTML) return;
  const stamps = new Map([...was.querySelectorAll("[data-key]")].map((row) => [row.dataset.key, row.dataset.stamp]));
  const focused = was.contains(document.activeElement) && document.activeElement.getAttribute("href");
  was.replaceWith(is);
  for (const row of is.querySelectorAll("[data-key]")) {
    if (stamps.get(row.dataset.key) !== row.dataset.stamp) row.classList.add("changed");
  }
  if (focused) is.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus();
}

let backoff_ms = 1000;
function follow() {
  const stream = new EventSource("/live");
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
