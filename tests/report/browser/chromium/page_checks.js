// What Chromium is asked about a page; page_checks.py says what must be the answer. Evaluated in the page, which loads nothing of it.
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const text = (element) => element.textContent.replace(/\s+/g, " ").trim();
const shown = (element) => element.checkVisibility({ visibilityProperty: true });
const named = (element) => {
  const id = element.id ? `#${element.id}` : "";
  return `<${element.localName}${id}> ${text(element).slice(0, 60)}`.trim();
};

const texts = (root) => {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) if (!walker.currentNode.parentElement.closest("script, style")) found.push(walker.currentNode.data);
  return found;
};

const unfold = (which = "details") => all(which).forEach((folded) => (folded.open = true));

const scrolledTo = (y) => {
  scrollTo({ top: y, behavior: "instant" });
  return scrollY;
};

// addresses that a browser would load from, follow at once, or connect to
const foreignAddresses = () => {
  const loading = ["src", "srcset", "poster", "data", "action", "formaction", "ping", "background", "xlink:href", "href"];
  const found = [];
  for (const element of all("*")) {
    for (const name of loading) {
      const value = element.getAttribute(name);
      if (value === null || /^(data:|#)/.test(value.trim())) continue;
      const link = name === "href" && ["a", "area"].includes(element.localName);
      if (!link) found.push(`${named(element)}: ${name}="${value.slice(0, 80)}"`);
      else if (!/^https:\/\//.test(value.trim())) found.push(`${named(element)}: a link to "${value.slice(0, 80)}"`);
    }
    if (element.localName === "meta" && /refresh/i.test(element.httpEquiv)) found.push("<meta http-equiv=refresh>");
  }
  return found;
};

// whether the page's policy refuses what a text that got out of its place would do
const policyFaults = async () => {
  const refused = [];
  document.addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
  const tries = {
    "connect-src": () => fetch("https://example.invalid/").catch(() => 0),
    "img-src": () => (new Image().src = "https://example.invalid/x.png"),
    "script-src-elem": () => document.head.append(Object.assign(document.createElement("script"), { text: "0" })),
    "script-src-attr": () => document.body.setAttribute("onclick", "0"),
    "form-action": () => {
      const form = document.body.appendChild(document.createElement("form"));
      Object.assign(form, { action: "https://example.invalid/", target: "_blank" }); // so that the page itself stays
      form.submit();
    },
  };
  for (const attempt of Object.values(tries)) await attempt();
  for (let tried = 0; refused.length < Object.keys(tries).length && tried < 30; tried++) await new Promise((done) => setTimeout(done, 100));
  return Object.keys(tries).filter((name) => !refused.includes(name));
};

// links are left alone: they would lead away
const touchEverything = () => {
  for (const element of all("body, body *")) {
    for (const type of ["pointerover", "mouseover", "mouseenter", "mousemove", "focus", "focusin", "click", "toggle"])
      if (type !== "click" || !element.closest("a, form")) element.dispatchEvent(new MouseEvent(type, { bubbles: true }));
  }
};
const turningTexts = () =>
  texts(document.documentElement).filter((piece) => /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/.test(piece)).map((piece) => piece.slice(0, 60));

const deadLinks = () =>
  all('a[href^="#"]')
    .filter((link) => {
      const id = decodeURIComponent((link.getAttribute("href") ?? "").slice(1));
      return id === "" || !document.getElementById(id);
    })
    .map((link) => `${named(link)}: ${link.getAttribute("href")}`);

const repeatedIds = () => {
  const ids = all("[id]").map((element) => element.id);
  return [...new Set(ids.filter((id, place) => ids.indexOf(id) !== place))];
};

const charts = () =>
  all("svg").filter((svg) => {
    const box = svg.getBoundingClientRect();
    return shown(svg) && box.width > 40 && box.height > 40;
  });

const chartBoxes = () =>
  charts().map((svg) => {
    const { x, y, width, height } = svg.getBoundingClientRect();
    return [svg.querySelector("title")?.textContent ?? "untitled", { x: x + scrollX, y: y + scrollY, width, height }];
  });
const setLabels = (visibility) => charts().forEach((svg) => all("text", svg).forEach((label) => (label.style.visibility = visibility)));

const undescribedCharts = () =>
  charts()
    .filter((svg) => !["img", "group"].includes(svg.getAttribute("role")) || !svg.querySelector("title")?.textContent || !svg.querySelector("desc")?.textContent)
    .map((svg) => svg.outerHTML.slice(0, 100));

// upright labels that overlap, labels cut by the edge of their chart or longer than the box they stand in, and labels smaller than so many pixels
const labelFaults = (least) => {
  const found = [];
  for (const svg of charts()) {
    const name = svg.querySelector("title")?.textContent ?? "untitled";
    const edge = svg.getBoundingClientRect();
    const labels = all("text", svg).filter((label) => shown(label) && text(label));
    const boxes = labels.map((label) => label.getBoundingClientRect());
    const upright = labels.map((label) => Math.abs(label.getScreenCTM().b) < 0.01);
    labels.forEach((label, one) => {
      const box = boxes[one];
      const size = parseFloat(getComputedStyle(label).fontSize) * Math.hypot(label.getScreenCTM().a, label.getScreenCTM().b);
      if (size < least) found.push(`${name}: "${text(label)}" is ${size.toFixed(1)} px`);
      if (box.left < edge.left - 1 || box.right > edge.right + 1 || box.top < edge.top - 1 || box.bottom > edge.bottom + 1)
        found.push(`${name}: "${text(label)}" is cut by the edge`);
      const frames = all(":scope > rect", label.parentElement).map((frame) => frame.getBoundingClientRect());
      const frame = label.parentElement !== svg && frames.length === 1 && frames[0].top < box.top && box.bottom < frames[0].bottom + 1 ? frames[0] : null;
      if (frame && frame.left < box.left && box.left < frame.right && box.right > frame.right) found.push(`${name}: "${text(label)}" leaves its box`);
      for (let other = one + 1; other < labels.length; other++) {
        const across = Math.min(box.right, boxes[other].right) - Math.max(box.left, boxes[other].left);
        const down = Math.min(box.bottom, boxes[other].bottom) - Math.max(box.top, boxes[other].top);
        if (upright[one] && upright[other] && across > 1 && down > 0.25 * Math.min(box.height, boxes[other].height))
          found.push(`${name}: "${text(label)}" and "${text(labels[other])}" overlap`);
      }
    });
  }
  return found;
};

// what makes a page scroll sideways: it is looked for with all that would hide it undone
const tooWide = () => {
  for (const element of [document.documentElement, document.body]) element.style.overflowX = "visible";
  const width = document.documentElement.clientWidth;
  const found = innerWidth === screen.width ? [] : [`the page is laid out for ${innerWidth} px, the screen has ${screen.width}`];
  if (document.documentElement.scrollWidth <= width) return found;
  const wide = all("body *").filter((element) => element.getBoundingClientRect().right > width + 1);
  return [...found, `${document.documentElement.scrollWidth} px wide: ${wide.slice(0, 3).map(named).join("; ")}`];
};

// --- sortable tables: th[aria-sort] holds a button

const tables = () => all("table").filter((table) => table.querySelector("th[aria-sort] button"));
const rowsOf = (table) => all("tbody tr", table);
const value = (row, column) => row.cells[column].dataset.sort ?? text(row.cells[column]);
const number = (word) => (/\d/.test(word) ? Number(word.replace(/[,%\s]/g, "").replace("\u2212", "-")) : NaN);
const ORDERS = [
  (a, b) => a.localeCompare(b),
  (a, b) => a.localeCompare(b, undefined, { numeric: true }),
  (a, b) => (a < b ? -1 : a > b ? 1 : 0),
  (a, b) => ORDERS[2](a.toLowerCase(), b.toLowerCase()),
];
// the orders, as indices, in which the column's values stand; empty values come last in every one
const standing = (values, sign) => {
  const filled = values.filter((word) => word !== "");
  if (filled.some((_, place) => values[place] === "")) return [];
  const orders = filled.every((word) => !Number.isNaN(number(word))) ? [(a, b) => number(a) - number(b)] : ORDERS;
  return orders.flatMap((order, index) =>
    filled.every((word, place) => place === 0 || sign * order(filled[place - 1], word) <= 0) ? [index] : []);
};

const sortingFaults = () => {
  const found = [];
  for (const table of tables()) {
    const before = rowsOf(table).map(text).sort().join("\n");
    for (const head of all("th[aria-sort]", table)) {
      const where = `${named(table.caption ?? table)}, column ${text(head)}`;
      const kept = [];
      for (let click = 0; click < 2; click++) {
        head.querySelector("button").click();
        const said = head.getAttribute("aria-sort");
        const sign = { ascending: 1, descending: -1 }[said];
        if (!sign) found.push(`${where}: aria-sort is "${said}" after a click`);
        else {
          if (!standing(rowsOf(table).map((row) => value(row, head.cellIndex)), sign).length) found.push(`${where}: not ${said}`);
          kept.push(said);
        }
        if (all('th[aria-sort="ascending"], th[aria-sort="descending"]', table).length > 1) found.push(`${where}: two columns say that they are sorted`);
      }
      if (kept.length === 2 && kept[0] === kept[1]) found.push(`${where}: twice ${kept[0]}`);
    }
    if (rowsOf(table).map(text).sort().join("\n") !== before) found.push(`${named(table)}: its rows are others than before`);
  }
  return found;
};

// --- search fields: aria-controls names the table or list that they filter

const searches = () => all('input[type="search"]').filter(shown);
const items = (input) => {
  const controlled = document.getElementById(input.getAttribute("aria-controls") ?? "");
  if (!controlled) return [];
  return controlled.querySelector("tbody") ? all("tbody tr", controlled) : [...controlled.children];
};
const fields = () => searches().map((input, place) => ({ name: input.id || `field ${place}`, count: items(input).length }));
// types the first word of four letters, a later one in capitals, one that is nowhere, and nothing
const filterFaults = async (place) => {
  const input = searches()[place];
  const listed = items(input);
  const words = listed.map(text).flatMap((words) => words.match(/\p{L}{4,}/gu) ?? ["qqzzqq"]);
  const found = [];
  for (const word of [words[0], words[Math.floor(words.length / 2)].toUpperCase(), "qqzzqq", ""]) {
    input.value = word;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise(requestAnimationFrame);
    const wrong = listed.filter((item) => shown(item) !== text(item).toLowerCase().includes(word.toLowerCase()));
    if (wrong.length) found.push(`"${word}" leaves ${shown(wrong[0]) ? "shown" : "hidden"}: ${named(wrong[0])}`);
  }
  return found;
};

const controls = () => all("button, input, select, textarea").filter(shown).map(named);
const headings = () => all("h1, h2, h3").map(text);
// the pieces of text that are shown, what belongs to controls left out: it is there for scripts alone
const pieces = () => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = new Set();
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (/\w/.test(text(walker.currentNode)) && !parent.closest("label, script, button:not(th button)") && shown(parent)) found.add(text(walker.currentNode));
  }
  return [...found];
};
const cells = () => all("table").flatMap((table) => [table.rows[0]?.cells[0], table.rows[table.rows.length - 1]?.cells[0]]).filter(Boolean).map(text);
