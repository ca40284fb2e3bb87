// A passenger's page looks for news by itself, three times a minute while it is looked at.
"use strict";

async function freshen() {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html", "X-Refresh": "yes" } });
    if (!answer.ok) throw new Error(`the hub answered ${answer.status}`);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("advice");
    if (fresh) document.getElementById("advice").replaceWith(fresh);
  } catch (error) {
    document.getElementById("stale").hidden = false;
  }
}

setInterval(freshen, 20 * 1000);
document.addEventListener("visibilitychange", freshen);
