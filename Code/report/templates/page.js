"use strict";
// Sorting, filtering, copying and tips; without this script the page shows the same.

const value = (cell) => cell.dataset.sort !== undefined ? Number(cell.dataset.sort) : cell.textContent.trim();

function compare(a, b) {
  if (a === "" || b === "") return a === b ? 0 : a === "" ? 1 : -1; // nothing comes last
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
}

function sort(table, column, heading) {
  const descending = heading.getAttribute("aria-sort") === "ascending";
  for (const other of table.querySelectorAll("th")) other.setAttribute("aria-sort", "none");
  heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const body = table.tBodies[0];
  const rows = [...body.rows].sort((one, two) => {
    const a = value(one.cells[column]), b = value(two.cells[column]);
    const order = compare(a, b);
    return descending && a !== "" && b !== "" ? -order : order;
  });
  body.append(...rows);
}

for (const table of document.querySelectorAll("table")) {
  const rows = table.tBodies[0].rows;
  if (rows.length < 2) continue;
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    button.addEventListener("click", () => sort(table, column, heading));
    heading.setAttribute("aria-sort", "none");
    heading.replaceChildren(button);
  });
  if (rows.length < 8) continue;
  const label = document.createElement("label");
  const input = document.createElement("input");
  label.className = "filter";
  input.type = "search";
  input.setAttribute("aria-controls", table.tBodies[0].id);
  label.append("Only rows with", input);
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/);
    for (const row of table.tBodies[0].rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
  });
  table.closest(".scroll").before(label);
}

for (const block of document.querySelectorAll(".copies pre")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    getSelection().selectAllChildren(block);
    try {
      await navigator.clipboard.writeText(block.textContent);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Selected: press Ctrl-C";
    }
  });
  block.previousElementSibling.append(button);
}

const tip = document.getElementById("tip");
const titles = new Map();

function told(target) {
  const own = target.closest && target.closest("svg.drawing *");
  for (let here = own; here && !here.classList.contains("drawing"); here = here.parentNode) {
    const title = [...here.children].find((child) => child.tagName === "title");
    if (title && title.textContent) titles.set(here, title.textContent);
    if (title) title.textContent = ""; // so that the browser's own tip does not come as well
    if (titles.has(here)) return titles.get(here);
  }
  return "";
}

document.addEventListener("pointerover", (event) => {
  const words = told(event.target);
  tip.hidden = !words;
  tip.textContent = words;
});
document.addEventListener("pointermove", (event) => {
  if (tip.hidden) return;
  const right = event.clientX + 16 + tip.offsetWidth > innerWidth;
  tip.style.left = `${Math.max(4, right ? event.clientX - tip.offsetWidth - 8 : event.clientX + 16)}px`;
  tip.style.top = `${Math.max(4, Math.min(event.clientY + 16, innerHeight - tip.offsetHeight - 4))}px`;
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") tip.hidden = true;
});

function open(hash) { // a link into something folded unfolds it
  const target = hash.length > 1 && document.getElementById(decodeURIComponent(hash.slice(1)));
  for (let here = target; here; here = here.parentElement) if (here.tagName === "DETAILS") here.open = true;
}
addEventListener("hashchange", () => open(location.hash));
open(location.hash);
