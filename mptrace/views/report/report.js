"use strict";
// Shows one connection at a time: unpacks its series, thins them for what is in view, draws them.
(() => {
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const settings = JSON.parse($("#settings").textContent);
const preference = matchMedia("(prefers-color-scheme: dark)");
const coarse = matchMedia("(pointer: coarse)").matches;
const place = $("#connection");
let printing = false;
let panel = null; // {index, charts: {direction: [...]}, direction, range, whole, mark, cards}

const colors = () => {
  const dark = settings.theme === "dark" || (settings.theme === "auto" && preference.matches);
  return settings.colors[dark && !printing ? "dark" : "light"];
};

function painted(value, palette) {
  if (typeof value === "string") return Object.hasOwn(palette, value) ? palette[value] : value;
  if (Array.isArray(value)) return value.map((inner) => painted(inner, palette));
  if (value && typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, painted(v, palette)]));
  return value;
}

// --- unpacking: see packing.py ---------------------------------------------------------------

async function unpack(text) {
  const plain = atob(text);
  const bytes = new Uint8Array(plain.length);
  for (let i = 0; i < plain.length; i++) bytes[i] = plain.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const whole = new Uint8Array(await new Response(stream).arrayBuffer());
  const length = new DataView(whole.buffer).getUint32(0, true);
  const parsed = JSON.parse(new TextDecoder().decode(whole.subarray(4, 4 + length)));
  return [parsed, whole.subarray(4 + length)];
}

function column(octets, [offset, rows, width, unit]) {
  const values = new Float64Array(rows);
  let total = 0;
  for (let i = 0; i < rows; i++) {
    const at = (plane) => octets[offset + plane * rows + i];
    const low = at(0) | (at(1) << 8) | (at(2) << 16) | (at(3) << 24);
    if (width === 4) total += low;
    else total += (low >>> 0) + 4294967296 * (at(4) | (at(5) << 8) | (at(6) << 16) | (at(7) << 24));
    values[i] = total * unit;
  }
  return values;
}

function loaded(series, octets) {
  if (series.ready || !series.x) return series;
  series.unit = series.x[3];
  for (const name of ["x", "y", "x2", "y2"])
    if (series[name]) series[name] = column(octets, series[name]);
  series.columns = series.columns.map((place) => column(octets, place));
  series.ready = true;
  return series;
}

// --- thinning: see thinning.py ---------------------------------------------------------------

function rowsInView(series, low, high, bins) {
  const x = series.x, end = series.x2 || x, bottom = series.y, top = series.y2 || bottom;
  let first = 0, last = x.length;
  while (first < last && end[first] < low) first++;
  while (last > first && x[last - 1] > high) last--;
  if (!series.x2) { first = Math.max(0, first - 1); last = Math.min(x.length, last + 1); }
  const rows = [];
  if (last - first <= 4 * bins || series.form === "bins") {
    for (let i = first; i < last; i++) rows.push(i);
    return [rows, false];
  }
  const since = (i) => Math.round((x[i] - x[first]) / series.unit); // whole units, as in Python
  let span = 0;
  for (let i = first; i < last; i++) span = Math.max(span, since(i));
  let bin = -1, start = first, lowest = first, highest = first;
  const close = (stop) => {
    for (const row of [...new Set([start, lowest, highest, stop])].sort((a, b) => a - b))
      rows.push(row);
  };
  for (let i = first; i < last; i++) {
    const own = Math.max(bin, Math.floor((since(i) * bins) / (span + 1)));
    if (own !== bin) {
      if (bin >= 0) close(i - 1);
      bin = own; start = lowest = highest = i;
    }
    if (bottom[i] < bottom[lowest]) lowest = i;
    if (top[i] >= top[highest]) highest = i;
  }
  close(last - 1);
  return [rows, true];
}

function eventsInView(series, low, high, width) {
  const pixel = (high - low) / Math.max(width - 150, 60);
  const latest = new Map(), groups = [];
  for (let i = 0; i < series.x.length; i++) {
    if (series.x[i] < low || series.x[i] > high) continue;
    const group = latest.get(series.y[i]);
    if (group && series.x[i] - series.x[group[0]] < 9 * pixel) group.push(i);
    else { latest.set(series.y[i], [i]); groups.push(latest.get(series.y[i])); }
  }
  const above = (series.trace.textposition || "top").split(" ")[0];
  const free = new Map(), text = [], textposition = [];
  for (const group of groups) {
    const kinds = [...new Set(group.map((i) => series.texts[i][0]))];
    const label = kinds.slice(0, 2).join(" ") + (kinds.length > 2 ? ` +${kinds.length - 2}` : "");
    const at = series.x[group[0]], lane = series.y[group[0]], size = (label.length * 6 + 10) * pixel;
    const taken = free.get(lane) ?? -Infinity;
    let spot = "";
    if (at >= taken && at + size <= high) { spot = "right"; free.set(lane, at + size); }
    else if (at - size >= taken) { spot = "left"; free.set(lane, at); }
    else free.set(lane, Math.max(taken, at));
    text.push(spot ? label : "");
    textposition.push(`${above} ${spot || "right"}`);
  }
  return {
    x: groups.map((g) => series.x[g[0]]),
    y: groups.map((g) => series.y[g[0]]),
    hovertext: groups.map((g) => g.map((i) => series.texts[i][1]).join("<br>")),
    text, textposition,
  };
}

function trace(series, view, width, palette) {
  const result = { name: series.name, ...painted(series.trace, palette) };
  if (series.hover) result.hovertemplate = series.hover + "<extra></extra>";
  if (!series.x) return [result, false, null];
  const [low, high] = view;
  if (series.form === "events") return [{ ...result, ...eventsInView(series, low, high, width) }, false, null];
  const [rows, thinned] = rowsInView(series, low, high, settings.bins);
  const gaps = Boolean(series.x2);
  const x = [], y = [], custom = [];
  for (const i of rows) {
    const own = series.columns.length ? series.columns.map((values) => values[i]) : null;
    x.push(series.x[i]); y.push(series.y[i]);
    if (own) custom.push(own);
    if (gaps) {
      x.push(series.x2[i], null); y.push(series.y2[i], null);
      if (own) custom.push(own, own);
    }
  }
  Object.assign(result, { x, y });
  // marks on each of so many points would hide the line, and take long to draw
  if (rows.length > settings.marked && result.mode === "lines+markers" && result.marker.size < 6)
    result.mode = "lines";
  if (custom.length) result.customdata = custom;
  let extent = null; // of strokes, which are what a zoom in time is about
  if (gaps && rows.length)
    extent = [Math.min(...rows.map((i) => series.y[i])), Math.max(...rows.map((i) => series.y2[i]))];
  return [result, thinned, extent];
}

// --- drawing ---------------------------------------------------------------------------------

const MOST_LEGEND_LINES = 9;
const CONFIG = {
  displaylogo: false, responsive: true, doubleClick: false, scrollZoom: false,
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "resetScale2d", "zoomIn2d", "zoomOut2d"],
};

function whole(chart) { // as layout() in figure.py
  const result = structuredClone(settings.layout);
  result.yaxis.title.text = chart.y;
  if (chart.time) result.xaxis.ticksuffix = " s";
  for (const [key, value] of Object.entries(chart.layout)) {
    const both = value && result[key] && typeof value === "object" && !Array.isArray(value);
    result[key] = both ? { ...result[key], ...value } : value;
  }
  return result;
}

function draw(card) {
  const chart = chartOf(card);
  const plot = $(".plot", card.figure);
  card.figure.hidden = !chart;
  if (!chart) { Plotly.purge(plot); plot.replaceChildren(); card.drawn = false; return; }
  const palette = colors();
  let thinned = false, lowest = Infinity, highest = -Infinity;
  const width = plot.clientWidth;
  const traces = chart.series.map((series) => {
    const [drawn, fewer, extent] = trace(loaded(series, panel.octets), panel.range, width, palette);
    thinned ||= fewer || Boolean(series.of);
    if (extent) { lowest = Math.min(lowest, extent[0]); highest = Math.max(highest, extent[1]); }
    return drawn;
  });
  const layout = painted(whole(chart), palette);
  layout.autosize = true;
  const narrow = width < 480;
  let lines = legendLines(traces, width - 90);
  if (lines > MOST_LEGEND_LINES) { lines = 0; layout.showlegend = false; } // hover tells who it is
  const lanes = chart.layout.yaxis?.tickvals?.length ?? 0;
  plot.style.height = `${Math.max(narrow ? 300 : 290, 60 + 34 * lanes) + 20 * lines}px`;
  layout.margin = { l: narrow ? 52 : 64, r: 14, t: 8, b: 36 + 20 * lines };
  layout.legend = {
    ...layout.legend, yref: "container", y: 0, yanchor: "bottom", font: { size: 11 }, itemwidth: 30,
  };
  if (narrow) layout.yaxis.title.text = ""; // the heading says it, and there is no room
  layout.uirevision = `${panel.index} ${panel.direction} ${panel.views}`;
  layout.dragmode = coarse ? false : "zoom";
  if (chart.time) {
    layout.xaxis = { ...layout.xaxis, range: [...panel.range], title: undefined, nticks: narrow ? 5 : undefined };
    const zoomed = panel.range[0] > panel.whole[0] || panel.range[1] < panel.whole[1];
    if (zoomed && lowest < highest) {
      const room = (highest - lowest) * 0.06;
      layout.yaxis = { ...layout.yaxis, range: [lowest - room, highest + room] };
    }
    if (panel.mark) {
      layout.shapes = [...(layout.shapes || []), {
        type: "line", xref: "x", yref: "paper", x0: panel.mark.time, x1: panel.mark.time, y0: 0, y1: 1,
        line: { color: palette.$bad, width: 1.5, dash: "dash" },
      }];
      layout.annotations = [...(layout.annotations || []), {
        x: panel.mark.time, xref: "x", y: 0.93, yref: "paper", yanchor: "top", xanchor: "left",
        text: panel.mark.packet ? `packet ${panel.mark.packet}` : "here", showarrow: false,
        font: { size: 11, color: palette.$bad },
      }];
    }
  }
  $(".thinned", card.figure).textContent = thinned
    ? `Thinned to ${(4 * settings.bins).toLocaleString("en")} points a series, every extreme kept; zoom in for more.`
    : "";
  Plotly.react(plot, traces, layout, CONFIG);
  if (!card.drawn) {
    card.drawn = true;
    plot.on("plotly_relayout", (change) => relaid(chart, change));
    plot.on("plotly_doubleclick", () => view(panel.whole, null));
  }
}

function relaid(chart, change) {
  if (!chart.time || !panel) return;
  const low = change["xaxis.range[0]"] ?? change["xaxis.range"]?.[0];
  const high = change["xaxis.range[1]"] ?? change["xaxis.range"]?.[1];
  if (low === undefined || high === undefined) return;
  if (low === panel.range[0] && high === panel.range[1]) return;
  panel.range = [Number(low), Number(high)];
  redraw();
}

function legendLines(traces, width) { // Plotly gives every entry the room of the longest
  const named = traces.filter((own) => own.showlegend !== false);
  if (named.length < 2) return 0;
  const longest = Math.max(...named.map((own) => own.name.length));
  return Math.ceil(named.length / Math.max(1, Math.floor(width / (longest * 6 + 46))));
}

const chartOf = (card) => panel.charts[panel.direction]?.find((chart) => chart.kind === card.kind);

let pending = 0;
function redraw() {
  cancelAnimationFrame(pending);
  pending = requestAnimationFrame(() => panel?.cards.filter((card) => card.drawn).forEach(draw));
}

function view(range, mark) {
  if (!panel) return;
  panel.range = [...range];
  panel.mark = mark;
  if (range === panel.whole) panel.views++; // forget zooms of single axes, too
  redraw();
}

function zoom(what) {
  if (!panel) return;
  const [low, high] = panel.range, span = high - low, [start, end] = panel.whole;
  if (what === "whole") return view(panel.whole, null);
  if (what === "in") return view([low + span / 4, high - span / 4], panel.mark);
  if (what === "out") return view([Math.max(start, low - span / 2), Math.min(end, high + span / 2)], panel.mark);
  const step = what === "left" ? Math.max(-span / 3, start - low) : Math.min(span / 3, end - high);
  return view([low + step, high + step], panel.mark);
}

const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    watcher.unobserve(entry.target);
    const card = panel?.cards.find((own) => own.figure === entry.target);
    if (card && !card.drawn) draw(card);
  }
}, { rootMargin: "120px" });

// --- one connection --------------------------------------------------------------------------

let opening = 0;
async function open(index) {
  const packed = $(`#packed-${index}`);
  if (!packed) return false;
  const mine = ++opening;
  const [content, octets] = await unpack(packed.textContent);
  if (mine !== opening) return true; // the reader has chosen another one meanwhile
  watcher.disconnect();
  if (panel) $$(".plot", place).forEach((plot) => Plotly.purge(plot));
  if (content.html !== undefined) place.innerHTML = content.html;
  $(".cards", place)?.replaceChildren($("#cards").content.cloneNode(true));
  const charts = content.directions, direction = Object.keys(charts)[0];
  const extent = direction ? charts[direction].find((chart) => chart.time).range : [0, 1];
  panel = {
    index, charts, octets, direction, whole: extent, range: [...extent], mark: null, views: 0,
    cards: $$(".card", place).map((figure) => ({ figure, kind: figure.dataset.kind, drawn: false })),
  };
  for (const card of panel.cards) {
    card.figure.hidden = !chartOf(card);
    watcher.observe(card.figure);
  }
  $$("#connections tbody tr").forEach((row) =>
    row.setAttribute("aria-current", String(Number(row.dataset.connection) === index)));
  return true;
}

function choose(direction) {
  panel.direction = direction;
  panel.views++;
  for (const card of panel.cards) {
    const empty = !chartOf(card);
    card.figure.hidden = empty;
    if (card.drawn || empty) draw(card);
    else watcher.observe(card.figure);
  }
}

function select(tab, focus) {
  const tabs = $$("[role=tab]", tab.parentElement);
  for (const own of tabs) {
    const chosen = own === tab;
    own.setAttribute("aria-selected", String(chosen));
    own.tabIndex = chosen ? 0 : -1;
    document.getElementById(own.getAttribute("aria-controls")).hidden = !chosen;
  }
  if (focus) tab.focus();
  $(".controls", place)?.toggleAttribute("hidden", tab !== tabs[0]);
}

async function follow() {
  const found = /^#connection-(\d+)(?:\/t=([\d.]+))?(?:\/p=(\d+))?$/.exec(location.hash);
  if (!found) return;
  const index = Number(found[1]);
  if (panel?.index !== index && !(await open(index))) {
    place.replaceChildren(Object.assign(document.createElement("p"), {
      className: "warning", textContent: `Connection ${index} is not in this report.`,
    }));
    panel = null;
    return;
  }
  if (found[2] !== undefined) {
    const time = Number(found[2]);
    const half = Math.max((panel.whole[1] - panel.whole[0]) / 20, 0.001);
    const tab = $("[role=tab]", place);
    if (tab) select(tab, false);
    view([time - half, time + half], { time, packet: found[3] });
    $(".cards", place)?.scrollIntoView({ block: "nearest" });
  } else {
    place.scrollIntoView({ block: "nearest" });
    const heading = $("h2", place);
    heading.tabIndex = -1; // so that a screen reader goes on from here
    heading.focus({ preventScroll: true });
  }
}

// --- what the reader does --------------------------------------------------------------------

function explain(link) {
  const entry = document.getElementById(link.getAttribute("href").slice(1));
  const dialog = $("#definition");
  const body = dialog.firstElementChild;
  body.replaceChildren(Object.assign(document.createElement("h3"), { textContent: entry.dataset.term }));
  for (const part of entry.children)
    if (!part.matches(".entry") && part.tagName !== "H3") body.append(part.cloneNode(true));
  dialog.showModal();
}

document.addEventListener("click", (event) => {
  const target = event.target;
  if (!(target instanceof Element)) return;
  const definition = target.closest("a.def");
  if (definition) { event.preventDefault(); explain(definition); return; }
  const tab = target.closest("[role=tab]");
  if (tab) { select(tab, false); return; }
  const button = target.closest("[data-zoom]");
  if (button) { zoom(button.dataset.zoom); return; }
  const head = target.closest("[data-column]");
  if (head) { sort(head); return; }
  const link = target.closest('a[href^="#connection-"]');
  if (link && link.getAttribute("href") === location.hash) { event.preventDefault(); follow(); return; }
  const row = target.closest("#connections tbody tr");
  if (row && !link) location.hash = `connection-${row.dataset.connection}`;
  if (target === $("#definition")) target.close();
});

document.addEventListener("change", (event) => {
  if (event.target.name?.startsWith("direction-")) choose(event.target.value);
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const tab = event.target.closest?.("[role=tab]");
  if (tab) {
    const tabs = $$("[role=tab]", tab.parentElement);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const to = event.key === "Home" ? 0 : event.key === "End" ? tabs.length - 1
      : step ? (tabs.indexOf(tab) + step + tabs.length) % tabs.length : -1;
    if (to >= 0) { event.preventDefault(); select(tabs[to], true); }
    return;
  }
  if (event.target.closest?.("input, textarea, select, .scroll, dialog")) return;
  const what = { "+": "in", "-": "out", ArrowLeft: "left", ArrowRight: "right", 0: "whole" }[event.key];
  if (what && panel) { event.preventDefault(); zoom(what); }
});

function sort(button) {
  const head = button.closest("th"), number = Number(button.dataset.column);
  const down = head.getAttribute("aria-sort") === "ascending";
  $$("#connections th").forEach((own) => own.setAttribute("aria-sort", "none"));
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const body = $("#connections tbody");
  const key = (row) => row.cells[number].dataset.sort ?? row.cells[number].textContent;
  const rows = [...body.rows].map((row) => [key(row), row]);
  const compare = new Intl.Collator("en", { numeric: true }).compare;
  const numeric = body.rows[0]?.cells[number].dataset.sort !== undefined;
  rows.sort(([a], [b]) => (numeric ? a - b : compare(a, b)) * (down ? -1 : 1));
  body.append(...rows.map(([, row]) => row));
}

const filter = $("#filter");
filter?.addEventListener("input", () => {
  const wanted = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  const rows = $$("#connections tbody tr");
  for (const row of rows) {
    const own = [...row.cells].map((cell) => cell.textContent).join(" ").toLowerCase();
    row.hidden = !wanted.every((word) => own.includes(word));
    shown += !row.hidden;
  }
  $("#matches").textContent = wanted.length ? `${shown} of ${rows.length}` : "";
});

preference.addEventListener("change", redraw);
addEventListener("hashchange", follow);
addEventListener("beforeprint", () => {
  printing = true;
  panel?.cards.filter((card) => !card.figure.hidden).forEach(draw);
});
addEventListener("afterprint", () => { printing = false; redraw(); });

const first = $('script[id^="packed-"]');
const begin = /^#connection-\d+/.test(location.hash)
  ? follow()
  : first ? open(Number(first.id.slice("packed-".length))) : Promise.resolve();
begin.then(() => { document.documentElement.dataset.ready = "true"; });
})();
