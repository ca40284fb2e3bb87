// A passenger's page is told what changes, and keeps what it knows, with its age, without a network.
// Where no stream can be had it asks by itself, three times a minute while it is looked at.
"use strict";

const ASK_EVERY_MS = 20 * 1000;
const AGE_EVERY_MS = 15 * 1000;
const SILENT_MS = 60 * 1000; // the stream says at least three times a minute that it is there
const words = new Intl.RelativeTimeFormat(document.documentElement.lang, { style: "short" });

let stream = null;
let heard_ms = Date.now();

const advice = () => document.getElementById("advice");

function show(part) {
  const fresh = new DOMParser().parseFromString(part, "text/html").getElementById("advice");
  if (fresh && fresh.dataset.mark !== advice().dataset.mark) advice().replaceWith(fresh);
  heard();
}

function heard() {
  heard_ms = Date.now();
  document.getElementById("stale").hidden = true;
}

function tell_age() {
  const stale = document.getElementById("stale");
  stale.hidden = false;
  stale.lastElementChild.textContent = words.format(-Math.floor((Date.now() - heard_ms) / 60000), "minute");
}

async function ask() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html", "X-Refresh": "yes" } });
    if (answer.status === 404) return location.reload(); // the link opens nothing any more
    if (!answer.ok) throw new Error(`the hub answered ${answer.status}`);
    show(await answer.text());
  } catch (error) {
    tell_age();
  }
}

function follow() {
  const query = new URLSearchParams(location.search);
  query.set("seen", advice().dataset.mark);
  stream = new EventSource(`${location.pathname}/live?${query}`);
  stream.addEventListener("ready", heard);
  stream.addEventListener("here", heard);
  stream.addEventListener("news", (message) => show(message.data));
  stream.addEventListener("over", () => {
    leave();
    location.reload();
  });
  stream.onerror = () => {
    if (stream && stream.readyState === EventSource.CLOSED) leave(); // refused: it is asked from now on
    tell_age();
  };
}

function leave() {
  if (stream) stream.close();
  stream = null;
}

setInterval(() => document.hidden || stream || ask(), ASK_EVERY_MS);
setInterval(() => {
  const stale = document.getElementById("stale");
  if (!stale.hidden || Date.now() - heard_ms > SILENT_MS) tell_age();
}, AGE_EVERY_MS);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return leave(); // a phone in a pocket holds no stream open
  ask();
  if (!stream) follow();
});
addEventListener("offline", tell_age);
addEventListener("online", ask);
follow();
