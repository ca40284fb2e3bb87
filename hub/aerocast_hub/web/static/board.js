// A public board: languages take turns, news come by a stream, and what is old says so.
"use strict";

const TURN_MS = 8 * 1000;
const SILENT_MS = 30 * 1000; // the stream says every five seconds that it is there
const RELOAD_MS = 6 * 3600 * 1000; // a screen that hangs for months takes up new versions by itself

let turn = 0;
let heard_ms = Date.now();

function show_turn() {
  const turns = [...document.querySelectorAll(".turn")];
  const now = turns[turn % turns.length];
  for (const each of turns) each.hidden = each !== now;
  document.documentElement.lang = now.lang;
  document.documentElement.dir = now.dir;
  const is_stale = !navigator.onLine || Date.now() - heard_ms > SILENT_MS;
  for (const each of document.querySelectorAll(".display-stale")) each.hidden = !is_stale;
  document.body.classList.toggle("is-stale", is_stale);
}

function heard() {
  heard_ms = Date.now();
  show_turn();
}

function follow() {
  const place = document.getElementById("board-place");
  const query = new URLSearchParams(location.search);
  query.set("seen", document.getElementById("board").dataset.mark);
  const stream = new EventSource(`${place.dataset.stream}?${query}`);
  stream.addEventListener("ready", heard);
  stream.addEventListener("here", heard);
  stream.addEventListener("news", (message) => {
    const fresh = new DOMParser().parseFromString(message.data, "text/html").getElementById("board");
    if (fresh) document.getElementById("board").replaceWith(fresh);
    heard();
  });
  stream.onerror = () => {
    show_turn();
    if (stream.readyState === EventSource.CLOSED) setTimeout(follow, 30 * 1000);
  };
}

addEventListener("offline", show_turn);
addEventListener("online", show_turn);
setInterval(() => {
  turn += 1;
  show_turn();
}, TURN_MS);
setTimeout(() => location.reload(), RELOAD_MS);
follow();
