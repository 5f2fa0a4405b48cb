"use strict";
/* Moves the map through time. Values come in chunks of steps as float32; the chunks around the slider are kept. */

const page = document.getElementById("map");
const content = JSON.parse(document.getElementById("map-content").textContent);
const byId = (id) => document.getElementById(id);
const slider = byId("step");
const FULL = [[50, "#b8c2cc", "below 50 %"], [80, "#5fa777", "50–80 %"], [90, "#e0b040", "80–90 %"], [100.0001, "#dd7a2e", "90–100 %"], [Infinity, "#b3261e", "above 100 %"]];
const SCALE = ["#2c5f9e", "#5fa0c4", "#d9d6c3", "#e5994f", "#a8322d"];
const UNKNOWN = "#ffffff";
const KEPT = 24;

const drawn = Object.fromEntries(["lines", "links", "buses", "sites"].map((kind) => [kind, [...byId(kind).querySelectorAll("line, circle")]]));
const chunks = new Map();
let busVariable = byId("bus-variable").value;
let timer = null;
let wanted = Number(slider.value);

function variables() {
  return ["loading_percent", "site_mw", "link_mw", busVariable];
}

function load(variable, chunk) {
  const key = `${variable}/${chunk}`;
  if (!chunks.has(key)) {
    const loading = fetch(`${page.dataset.steps}/${key}`)
      .then((answer) => { if (!answer.ok) throw new Error(`${answer.status}`); return answer.arrayBuffer(); })
      .then((bytes) => new Float32Array(bytes));
    loading.catch(() => chunks.delete(key));
    chunks.set(key, loading);
    while (chunks.size > KEPT * variables().length) chunks.delete(chunks.keys().next().value);
  }
  return chunks.get(key);
}

function row(values, variable, step) {
  const size = content.sizes[variable];
  const begin = (step % content.chunk) * size;
  return values.subarray(begin, begin + size);
}

function mixed(share) {
  const place = Math.min(Math.max(share, 0), 1) * (SCALE.length - 1);
  const index = Math.min(Math.floor(place), SCALE.length - 2);
  const [low, high] = [SCALE[index], SCALE[index + 1]].map((text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16)));
  const channel = low.map((value, at) => Math.round(value + (high[at] - value) * (place - index)));
  return `rgb(${channel.join(",")})`;
}

function busColour(value) {
  const [low, high] = content.ranges[busVariable];
  return Number.isFinite(value) ? mixed((value - low) / (high - low)) : UNKNOWN;
}

function lineColour(percent) {
  return Number.isFinite(percent) ? FULL.find(([below]) => percent < below)[1] : UNKNOWN;
}

function linkPercent(at, mw) {
  const limit = content.link_limits_mw[at][mw > 0 ? 0 : 1];
  return limit > 0 ? 100 * Math.abs(mw) / limit : 0;
}

function written(value) {
  if (!Number.isFinite(value)) return "no value";
  const size = Math.abs(value);
  return value.toLocaleString("en", { maximumFractionDigits: size >= 1000 ? 0 : size >= 10 ? 1 : 3 });
}

async function show(step) {
  wanted = step;
  const chunk = Math.floor(step / content.chunk);
  const names = variables();
  let values;
  try {
    values = await Promise.all(names.map((name) => load(name, chunk)));
  } catch (error) {
    byId("told").textContent = "The server does not answer.";
    return;
  }
  if (wanted !== step) return;
  paint(step, Object.fromEntries(names.map((name, at) => [name, row(values[at], name, step)])));
  const last = Math.floor((content.steps - 1) / content.chunk);
  for (const near of [chunk + 1, chunk - 1]) if (near >= 0 && near <= last) for (const name of names) load(name, near);
}

let shown = {};
function paint(step, values) {
  shown = values;
  drawn.lines.forEach((line, at) => line.setAttribute("stroke", lineColour(values.loading_percent[at])));
  drawn.buses.forEach((bus, at) => bus.setAttribute("fill", busColour(values[busVariable][at])));
  const shares = content.transport ? [...values.link_mw].map((mw, at) => linkPercent(at, mw)) : null;
  if (shares) drawn.links.forEach((link, at) => link.setAttribute("stroke", lineColour(shares[at])));
  drawn.links.forEach((link, at) => link.setAttribute("stroke-width", 1.5 + Math.min(Math.abs(values.link_mw[at]) / 40, 6)));
  drawn.sites.forEach((site, at) => {
    const radius = 9 + 20 * Math.sqrt(Math.max(values.site_mw[at], 0) / mostSite);
    site.setAttribute("r", radius.toFixed(1));
    site.nextElementSibling.setAttribute("y", (Number(site.getAttribute("cy")) - radius - 5).toFixed(1));
  });
  when(step);
  table("site-table", [...values.site_mw].map((mw, at) => [drawn.sites[at].dataset.name, `${page.dataset.run}/sites/${at}`, mw]));
  const [kind, percent] = shares ? ["links", shares] : ["lines", values.loading_percent];
  const order = [...percent.keys()].sort((a, b) => (percent[b] || 0) - (percent[a] || 0)).slice(0, 8);
  table("line-table", order.map((at) => [drawn[kind][at].dataset.name, `${page.dataset.run}/${kind}/${at}`, percent[at]]));
  page.dataset.shown = step;
}

const mostSite = Math.max(content.ranges.site_mw[1], 1e-6);

function when(step) {
  const local = new Date((content.start_s + step * content.step_s + content.zone_s) * 1000);
  byId("when").querySelector("b").textContent = local.toISOString().slice(0, 16).replace("T", " ");
  byId("step-number").textContent = step.toLocaleString("en");
}

function table(id, rows) {
  const body = byId(id).tBodies[0];
  while (body.rows.length < rows.length) {
    const made = body.insertRow();
    made.insertCell().append(document.createElement("a"));
    made.insertCell().className = "num";
  }
  rows.forEach(([name, address, value], at) => {
    const [first, second] = body.rows[at].cells;
    if (!first.firstElementChild) first.replaceChildren(document.createElement("a"));
    first.firstElementChild.textContent = name;
    first.firstElementChild.href = address;
    second.textContent = written(value);
  });
}

function swatch(colour, text) {
  const made = document.createElement("tr");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [name, value] of [["width", "100%"], ["height", "100%"], ["fill", colour]]) rect.setAttribute(name, value);
  svg.append(rect);
  const cells = [made.insertCell(), made.insertCell()];
  cells[0].className = "swatch";
  cells[0].append(svg);
  cells[1].textContent = text;
  return made;
}

function legends() {
  byId("line-legend").replaceChildren(...FULL.map(([, colour, text]) => swatch(colour, text)));
  const [low, high] = content.ranges[busVariable];
  const parts = [0, 0.25, 0.5, 0.75, 1].map((share) => swatch(mixed(share), written(low + share * (high - low))));
  parts[0].cells[1].prepend("≤ ");
  parts[4].cells[1].prepend("≥ ");
  byId("bus-legend").replaceChildren(...parts);
  byId("bus-caption").textContent = byId("bus-variable").selectedOptions[0].textContent;
}

function go(step) {
  slider.value = Math.min(Math.max(step, 0), content.steps - 1);
  show(Number(slider.value));
}

function play() {
  const playing = timer !== null;
  byId("play").textContent = playing ? "▶" : "❚❚";
  byId("play").setAttribute("aria-label", playing ? "play" : "stop");
  if (playing) {
    window.clearInterval(timer);
    timer = null;
    return;
  }
  if (Number(slider.value) >= content.steps - 1) go(0);
  timer = window.setInterval(() => {
    if (Number(slider.value) >= content.steps - 1) play();
    else if (Number(page.dataset.shown) === wanted) go(Number(slider.value) + 1);
  }, 1000 / Number(byId("speed").value));
}

slider.addEventListener("input", () => show(Number(slider.value)));
byId("play").addEventListener("click", play);
byId("speed").addEventListener("change", () => { if (timer !== null) { play(); play(); } });
byId("bus-variable").addEventListener("change", (event) => {
  busVariable = event.target.value;
  legends();
  show(Number(slider.value));
});
page.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches("select, button, textarea, input:not([type=range])")) return;
  const day = Math.round(86400 / content.step_s);
  const moves = { ArrowLeft: -1, ArrowRight: 1, PageUp: -day, PageDown: day };
  if (event.key === " ") play();
  else if (event.key === "Home") go(0);
  else if (event.key === "End") go(content.steps - 1);
  else if (event.key in moves) go(Number(slider.value) + moves[event.key]);
  else return;
  event.preventDefault();
});
byId("drawing").addEventListener("pointerover", (event) => {
  const mark = event.target.closest("[data-name]");
  if (!mark) return;
  const kind = mark.closest("g").id;
  const at = drawn[kind].indexOf(mark);
  const told = {
    lines: () => `line ${mark.dataset.name}\n${written(shown.loading_percent?.[at])} % of its rating`,
    links: () => `link ${mark.dataset.name}\n${written(shown.link_mw?.[at])} MW`,
    buses: () => `bus ${mark.dataset.name}\n${byId("bus-variable").selectedOptions[0].textContent}: ${written(shown[busVariable]?.[at])}`,
    sites: () => `site ${mark.dataset.name}\n${written(shown.site_mw?.[at])} MW${content.connection_mw[at] === null ? "" : ` of ${written(content.connection_mw[at])} MW connected`}`,
  };
  byId("told").textContent = told[kind]();
});

legends();
show(wanted);
