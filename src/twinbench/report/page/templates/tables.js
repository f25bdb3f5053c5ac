"use strict";
document.documentElement.classList.add("js");
// Sortable tables: a button in every heading; numbers by value, words by locale, empty cells last.
for (const table of document.querySelectorAll("table.sortable")) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    heading.replaceChildren(button);
    button.addEventListener("click", () => {
      const direction = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      for (const other of headings) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
      const key = (row) => {
        const cell = row.cells[column];
        if ("value" in cell.dataset) return Number(cell.dataset.value);
        return cell.textContent === "" ? null : cell.textContent;
      };
      const rows = [...table.tBodies[0].rows].map((row) => [key(row), row]);
      rows.sort(([a], [b]) => {
        if (a === null || b === null) return (a === null) - (b === null);
        if (typeof a === "number" && typeof b === "number") return direction * (a - b);
        return direction * String(a).localeCompare(String(b), undefined, { numeric: true });
      });
      table.tBodies[0].append(...rows.map(([, row]) => row));
    });
  });
}
// Columns on demand, and a filter that keeps the rows in which every word occurs.
for (const folded of document.querySelectorAll("details.table")) {
  const shown = folded.querySelector("table");
  const more = folded.querySelector("button.more");
  if (more) {
    more.hidden = false;
    more.addEventListener("click", () => more.setAttribute("aria-pressed", String(shown.classList.toggle("all"))));
  }
  const filter = folded.querySelector(".filter");
  if (shown.tBodies[0].rows.length < 8) continue;
  filter.hidden = false;
  filter.querySelector("input").addEventListener("input", (event) => {
    const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of shown.tBodies[0].rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
  });
}
// A link to a row opens the table that it is in; one to runs searches for them.
function open_target() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  const folded = target.closest("details");
  if (!folded) return;
  folded.open = true;
  target.hidden = false;
  target.scrollIntoView({ block: "center" });
}
addEventListener("hashchange", open_target);
open_target();
for (const link of document.querySelectorAll(".evidence a")) {
  link.addEventListener("click", () => {
    if (link.dataset.search) {
      const search = document.getElementById("search");
      search.value = link.dataset.search;
      search.dispatchEvent(new Event("input"));
    } else if (link.hash === location.hash) open_target();
  });
}
// Where one is: the last section whose heading is above the middle of the window.
const menu = document.getElementById("menu");
const contents = document.getElementById("contents");
const links = [...contents.querySelectorAll("a")];
menu.hidden = false;
function unfold(open) {
  contents.classList.toggle("open", open);
  menu.setAttribute("aria-expanded", String(open));
}
menu.addEventListener("click", () => unfold(menu.getAttribute("aria-expanded") !== "true"));
contents.addEventListener("click", (event) => event.target.closest("a") && unfold(false));
function mark() {
  let here = null;
  for (const link of links) {
    link.removeAttribute("aria-current");
    const top = document.getElementById(link.hash.slice(1)).getBoundingClientRect().top;
    if (top < innerHeight / 2) here = link;
  }
  if (here) here.setAttribute("aria-current", "true");
  menu.textContent = here ? `Contents: ${here.textContent}` : "Contents";
}
let waiting = false;
addEventListener("scroll", () => {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; mark(); });
}, { passive: true });
mark();
