// Keeps a browser's session going: new tokens before the old ones end, one tab at a time.
"use strict";

const RENEW_EVERY_MS = 10 * 60 * 1000;
const RENEWED_AT = "aerocast-renewed-at";

const renewable = () => document.cookie.split("; ").includes("aerocast_renewable=1");

// Two tabs with one refresh token would look like a theft: they take turns, and the second one
// sees that the first has just been.
async function renew(youngest_ms) {
  const turn = navigator.locks
    ? (work) => navigator.locks.request("aerocast-renewal", work)
    : (work) => work();
  return turn(async () => {
    if (!renewable()) return false;
    if (Date.now() - Number(localStorage.getItem(RENEWED_AT) || 0) < youngest_ms) return true;
    // keepalive: a page that is left must still hear of its new token, or the old one used again
    // would look like a theft and end the session.
    const answer = await fetch("/session/renew", { method: "POST", keepalive: true });
    if (answer.ok) localStorage.setItem(RENEWED_AT, String(Date.now()));
    return answer.ok;
  });
}

// Who logs out in one tab leaves nothing on the screen in the others, and none of them renews what
// is about to end.
const tabs = new BroadcastChannel("aerocast-session");
document.querySelector('form[action="/session/end"]')?.addEventListener("submit", () => {
  document.cookie = "aerocast_renewable=; path=/; max-age=0";
  tabs.postMessage("ended");
});

const form = document.querySelector("form.login[data-next]");
if (!form) tabs.addEventListener("message", () => location.replace("/login"));
if (form) {
  form.addEventListener("submit", () => localStorage.setItem(RENEWED_AT, String(Date.now())));
  // Somebody whose token has ended but whose shift has not need not type again. Once a minute at
  // most: if the new token is no good either, the form is the way in.
  const tried = Number(sessionStorage.getItem(RENEWED_AT) || 0);
  if (renewable() && Date.now() - tried > 60 * 1000) {
    sessionStorage.setItem(RENEWED_AT, String(Date.now()));
    renew(5000).then((renewed) => renewed && location.replace(form.dataset.next), () => {});
  }
} else {
  renew(RENEW_EVERY_MS).catch(() => {});
  setInterval(() => renew(RENEW_EVERY_MS).catch(() => {}), 60 * 1000);
}
