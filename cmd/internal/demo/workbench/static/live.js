// Shows what has come without a reload: asks for this same page and takes over the parts that differ.
"use strict";
let asking = 0;
async function refresh() {
  const mine = ++asking;
  const answer = await fetch(location.href);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (mine !== asking) return; // a later answer is on its way
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(part.id);
    if (!next) continue;
    const open = [...part.querySelectorAll("details")].map((details) => details.open);
    const closed = part.cloneNode(true);
    for (const details of closed.querySelectorAll("details")) details.open = false;
    closed.classList.remove("fresh");
    if (closed.isEqualNode(next)) continue;
    next.querySelectorAll("details").forEach((details, i) => (details.open = open[i] ?? false));
    next.classList.add("fresh");
    part.replaceWith(next);
  }
}
new EventSource("/live").onmessage = () => refresh().catch(() => {});
