
// The runs: columns of one value, of numbers, or of codes into a list of words.
const holder = document.getElementById("runs-data");
const runs = JSON.parse(holder.textContent);
const names = Object.keys(runs.columns);
const value = (name, row) => {
  const column = runs.columns[name];
  if (!column) return "";
  if ("same" in column) return column.same ?? "";
  return (column.codes ? column.words[column.codes[row]] : column.numbers[row]) ?? "";
};
const SHOWN = 60;
const SEARCHED = ["dataset", "architecture", "variant", "kind", "status"];
const texts = Array.from({ length: runs.count }, (_, row) =>
  (SEARCHED.map((name) => value(name, row)).join(" ") + " seed " + value("seed", row) + " " + value("run", row)).toLowerCase());
const element = (tag, text, attributes = {}) => {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  for (const [name, held] of Object.entries(attributes)) made.setAttribute(name, held);
  return made;
};
const search = document.getElementById("search");
const hits = document.getElementById("hits");
const detail = document.getElementById("run");
let found = [];
let shown = null;

function look() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  // A number is a seed, or part of a word longer than two letters; other words may be anywhere.
  const fits = (row) => words.every((word) =>
    /^\d{1,4}$/.test(word) ? String(value("seed", row)) === word : texts[row].includes(word));
  found = [];
  for (let row = 0; row < runs.count; row += 1) if (fits(row)) found.push(row);
  document.getElementById("found").textContent = found.length > SHOWN
    ? `${found.length.toLocaleString("en")} runs; the first ${SHOWN} are listed.`
    : `${found.length.toLocaleString("en")} run${found.length === 1 ? "" : "s"}.`;
  hits.replaceChildren(...found.slice(0, SHOWN).map((row) => {
    const item = element("li");
    const failed = value("status", row) === "failed" ? " (failed)" : "";
    const button = element("button", `${value("architecture", row)} / ${value("variant", row)}, seed ${value("seed", row)}, ${value("dataset", row)}${failed}`, { type: "button", "aria-pressed": "false" });
    button.addEventListener("click", () => show(row, button));
    item.append(button);
    return item;
  }));
  // What is shown is one of those found: the same as before, else the first.
  const place = Math.max(found.slice(0, SHOWN).indexOf(shown), 0);
  if (found.length) show(found[place], hits.querySelectorAll("button")[place]);
  else detail.replaceChildren(element("p", "No run matches.", { class: "note" }));
}

const SVG = "http://www.w3.org/2000/svg";
function drawing(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, held] of Object.entries(attributes)) made.setAttribute(name, held);
  if (text !== undefined) made.textContent = text;
  return made;
}

function curve(label, values, colour) {
  const [width, height, left, right, top, bottom] = [360, 130, 52, 8, 22, 24];
  const known = values.filter((one) => one !== null);
  const picture = drawing("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${label} by epoch, from ${known[0]} to ${known[known.length - 1]}` });
  const low = Math.min(...known);
  const high = Math.max(...known);
  const x = (place) => left + (width - left - right) * (values.length > 1 ? place / (values.length - 1) : 0.5);
  const y = (one) => top + (height - top - bottom) * (high > low ? 1 - (one - low) / (high - low) : 0.5);
  picture.append(drawing("text", { x: 0, y: 12 }, label));
  for (const end of new Set([low, high])) {
    picture.append(drawing("line", { x1: left, x2: width - right, y1: y(end), y2: y(end), stroke: "var(--grid)" }));
    picture.append(drawing("text", { x: left - 6, y: y(end) + 4, "text-anchor": "end" }, String(end)));
  }
  picture.append(drawing("text", { x: left, y: height - 6 }, "epoch 1"));
  picture.append(drawing("text", { x: width - right, y: height - 6, "text-anchor": "end" }, String(values.length)));
  const points = values.map((one, place) => (one === null ? null : `${x(place).toFixed(1)},${y(one).toFixed(1)}`)).filter(Boolean);
  picture.append(drawing("polyline", { points: points.join(" "), fill: "none", stroke: colour, "stroke-width": 2 }));
  if (points.length === 1) {
    const [cx, cy] = points[0].split(",");
    picture.append(drawing("circle", { cx, cy, r: 3, fill: colour }));
  }
  return picture;
}

function show(row, button) {
  shown = row;
  for (const other of hits.querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === button));
  const parts = [element("h3", `${value("architecture", row)} / ${value("variant", row)}, seed ${value("seed", row)}, ${value("dataset", row)}`)];
  if (value("reason", row)) parts.push(element("p", `Failed: ${value("reason", row)}`));
  const curves = runs.history[row];
  if (curves) {
    const colours = ["var(--blue)", "var(--red)", "var(--green)"];
    const drawn = element("div", undefined, { class: "curves" });
    parts.push(drawn);
    curves.forEach((values, place) => {
      if (values.some((one) => one !== null)) drawn.append(curve(runs.curves[place].replace("_", " "), values, colours[place]));
    });
  } else parts.push(element("p", "No curve of this run is carried here; it is in the table history.", { class: "note" }));
  parts.push(element("p", "To reproduce it:"), element("pre", `twinbench reproduce ${holder.dataset.path} --row ${row + 1}`));
  const list = element("dl");
  for (const name of names) {
    const held = value(name, row);
    if (held === "" || ["architecture", "variant", "seed", "dataset", "reason"].includes(name)) continue;
    list.append(element("dt", name.replaceAll("_", " ")), element("dd", String(held)));
  }
  detail.replaceChildren(...parts, list);
}

document.getElementById("download-runs").addEventListener("click", () => {
  const quote = (held) => (/[",\n\r]/.test(String(held)) ? `"${String(held).replaceAll('"', '""')}"` : String(held));
  const lines = [names.map(quote), ...found.map((row) => names.map((name) => quote(value(name, row))))];
  const link = element("a", undefined, { download: "runs.csv" });
  link.href = URL.createObjectURL(new Blob([lines.map((line) => line.join(",")).join("\n") + "\n"], { type: "text/csv" }));
  link.click();
  URL.revokeObjectURL(link.href);
});
search.addEventListener("input", look);
document.getElementById("finder").hidden = false;
look();
