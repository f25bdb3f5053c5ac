"use strict";
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
