"use strict";
const stretches = [...document.querySelectorAll("details.stretch")];
const marked = [...document.querySelectorAll("details.row.cause, details.row.first")];
const unfold = document.getElementById("unfold");
if (unfold && stretches.length) {
  unfold.hidden = false;
  unfold.addEventListener("click", () => {
    const open = stretches.some(stretch => !stretch.open);
    for (const stretch of stretches) stretch.open = open;
    unfold.textContent = open ? "Fold equal layers" : "Unfold equal layers";
  });
}
let place = -1;
const next = document.getElementById("next");
if (next && marked.length) {
  next.hidden = false;
  next.addEventListener("click", () => {
    place = (place + 1) % marked.length;
    show(marked[place]);
  });
}
function show(row) {
  const stretch = row.closest("details.stretch");
  if (stretch) stretch.open = true;
  row.open = true;
  row.scrollIntoView({ block: "center" });
  row.querySelector("summary").focus({ preventScroll: true });
}
function follow() {
  const row = /^#row-\d+$/.test(location.hash) && document.getElementById(location.hash.slice(1));
  if (row) show(row);
}
addEventListener("hashchange", follow);
follow();
