"use strict";
(() => {
  // ---- what the page is told, and the view that its address keeps ------------------------------------------------
  let told = JSON.parse(document.getElementById("data").textContent);
  const find = (words, within = document) => within.querySelector(words);
  const all = (words, within = document) => [...within.querySelectorAll(words)];
  const make = (name, properties = {}, ...content) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...content);
    return made;
  };
  const number = (value) => value.toLocaleString("en-US", { maximumSignificantDigits: 4 });

  const view = { at: null, x: "images", smooth: 0, zoom: null };
  function readAddress() {
    const words = new URLSearchParams(location.hash.slice(1));
    const [at, smooth] = [parseFloat(words.get("at")), parseFloat(words.get("smooth"))];
    const zoom = (words.get("zoom") || "").split(",").map(parseFloat);
    view.at = Number.isFinite(at) ? at : null;
    view.smooth = smooth >= 0 && smooth < 1 ? smooth : 0;
    view.x = ["images", "time", "epochs"].includes(words.get("x")) ? words.get("x") : "images";
    view.zoom = zoom.length === 2 && zoom.every(Number.isFinite) && zoom[0] < zoom[1] ? zoom : null;
  }
  function writeAddress() {
    const words = new URLSearchParams();
    if (view.at !== null) words.set("at", view.at);
    if (view.x !== "images") words.set("x", view.x);
    if (view.smooth) words.set("smooth", view.smooth);
    if (view.zoom) words.set("zoom", view.zoom.map((end) => Number(end.toPrecision(6))).join(","));
    history.replaceState(null, "", `#${words}`);
  }

  // ---- pictures --------------------------------------------------------------------------------------------------
  const place = () => {
    if (view.at === null) return told.positions.length - 1;
    const after = told.positions.findIndex(([images]) => images > view.at);
    return Math.max(0, (after < 0 ? told.positions.length : after) - 1);
  };
  const images = () => (told.positions.length ? told.positions[place()][0] : 0);

  // The newest moment of a series that is not after the slider's; the first one where there is none.
  // `least` and `most` of an element are those of a stage, whose picture stays within it.
  function moment(element, series) {
    const moments = told.series[series] || [];
    const { least = 0, most = Infinity } = element.dataset;
    const limit = Math.min(Math.max(images(), Number(least)), Number(most));
    return moments.filter(([seen]) => seen <= limit).pop() || moments[0];
  }

  const decoded = new Map(); // picture's number -> promise of the image
  function image(number) {
    if (!decoded.has(number)) {
      const made = new Image();
      made.src = told.pictures[number];
      decoded.set(number, made.decode().then(() => made));
    }
    return decoded.get(number);
  }

  // Draws items of a sheet, side by side, into a canvas.
  async function cut(canvas) {
    const { series, cells, caption } = canvas.dataset;
    const found = moment(canvas, series);
    if (!found) return;
    canvas.setAttribute("aria-label", `${caption} ${found[2]}`);
    canvas.dataset.picture = found[1];
    const sheet = await image(found[1]);
    if (canvas.dataset.picture !== String(found[1])) return; // the slider has moved on
    const [columns, , width, height] = told.grids[series];
    const scale = sheet.naturalWidth / (columns * (width + 2) + 2);
    const chosen = cells.split(",").map(Number);
    const [w, h] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
    canvas.width = chosen.length * w;
    canvas.height = h;
    const widest = `${chosen.length * Math.max(w, 88)}px`;
    canvas.style.maxWidth = widest;
    canvas.closest(".swipe")?.style.setProperty("max-width", widest);
    chosen.forEach((cell, place) => {
      const [row, column] = [Math.floor(cell / columns), cell % columns];
      const [left, top] = [(2 + column * (width + 2)) * scale, (2 + row * (height + 2)) * scale];
      canvas.getContext("2d").drawImage(sheet, left, top, width * scale, height * scale, place * w, 0, w, h);
    });
    canvas.dataset.shown = found[1];
  }

  function show() {
    for (const picture of all("img[data-picture]")) {
      if (!picture.src) picture.src = told.pictures[picture.dataset.picture];
    }
    for (const picture of all("img[data-series]")) {
      const found = moment(picture, picture.dataset.series);
      if (!found) continue;
      const source = told.pictures[found[1]];
      if (picture.getAttribute("src") !== source) picture.src = source;
      picture.dataset.caption = picture.dataset.caption || picture.alt;
      picture.alt = `${picture.dataset.caption} ${found[2]}`;
    }
    for (const canvas of all("canvas[data-cells]")) cut(canvas);
    for (const words of all("[data-when]")) {
      const found = moment(words, words.dataset.when);
      if (found) words.textContent = found[2];
    }
    if (!told.positions.length) return;
    find("#when").textContent = told.positions[place()][1];
    const slider = find("#at");
    if (!slider) return;
    slider.max = told.positions.length - 1;
    slider.value = place();
    slider.setAttribute("aria-valuetext", told.positions[place()][1]);
  }

  function go(to) {
    const last = told.positions.length - 1;
    view.at = to >= last ? null : told.positions[Math.max(0, to)][0];
    writeAddress();
    show();
    moveCursor();
  }

  let opened = null; // details that were opened for paper; null: this is a screen
  let playing = null;
  function play() {
    const button = find("#play");
    const stop = () => {
      clearInterval(playing);
      playing = null;
      button.textContent = "▶";
      button.setAttribute("aria-label", "Play the learning as an animation");
    };
    if (playing) return stop();
    if (place() === told.positions.length - 1) go(0);
    button.textContent = "❚❚";
    button.setAttribute("aria-label", "Stop the animation");
    playing = setInterval(() => {
      go(place() + 1);
      if (place() === told.positions.length - 1) stop();
    }, 300);
  }

  // ---- curves ----------------------------------------------------------------------------------------------------
  const SHADES = {
    light: ["#1f77b4", "#d9580d", "#2b8a3e", "#a13cb0", "#b3261e", "#0f8b8d", "#8a6d00", "#6b6f76"],
    dark: ["#6cb6ff", "#ff9d5c", "#6fd18a", "#d79bff", "#ff8f87", "#5fd4d6", "#e3c34f", "#b4bac4"],
  };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const touched = matchMedia("(pointer: coarse)");
  const shade = (place) => (dark.matches && opened === null ? SHADES.dark : SHADES.light)[place % SHADES.light.length];
  const DASHES = ["solid", "dash", "dot", "dashdot", "longdash"];
  const plain = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;"); // plotly reads tags
  const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const titles = { images: `${told.items} seen`, time: "minutes of training", epochs: "epochs" };

  function across(run, seen) { // where a number of images lies on the axis
    if (view.x === "images") return seen;
    if (view.x === "epochs") return seen / run.epoch;
    const { images: xs = [], seconds = [] } = run.columns;
    const after = xs.findIndex((each) => each >= seen);
    if (after < 0) return (seconds[seconds.length - 1] || 0) / 60;
    const [x0, s0] = after ? [xs[after - 1], seconds[after - 1]] : [0, 0];
    const share = xs[after] > x0 ? (seen - x0) / (xs[after] - x0) : 1;
    return (s0 + share * (seconds[after] - s0)) / 60;
  }

  function points(run, name) {
    const { images: seen, seconds } = run.columns;
    const found = { x: [], y: [] };
    (run.columns[name] || []).forEach((value, row) => {
      const x = view.x === "time" ? seconds && seconds[row] / 60 : view.x === "epochs" ? seen[row] / run.epoch : seen[row];
      if (value === null || x === null || x === undefined) return;
      found.x.push(x);
      found.y.push(value);
    });
    return found;
  }

  function smoothed(values) { // the moving average of Adam's kind, without the pull towards 0 at its start
    let sum = 0, weight = 0;
    return values.map((value) => {
      sum = view.smooth * sum + (1 - view.smooth) * value;
      weight = view.smooth * weight + (1 - view.smooth);
      return sum / weight;
    });
  }

  function traces(panel) {
    const several = told.runs.length > 1;
    const both = several && panel.names.length > 1; // then a colour is a run, and a dash is a value
    const shorter = (name) => name.replace(/^(loss|score|gradient)\//, "").replace("images_per_second", `${told.items} per second`);
    const dashes = (both ? panel.names : []).map((name, kind) => ({
      x: [null], y: [null], name: plain(shorter(name)), mode: "lines", hoverinfo: "skip", meta: { key: name },
      line: { color: ink("--quiet"), width: 1.8, dash: DASHES[kind % DASHES.length] },
    }));
    return told.runs.flatMap((run, which) => panel.names.flatMap((name, kind) => {
      const found = points(run, name);
      if (!found.x.length) return [];
      const label = plain(both ? `${run.name}: ${shorter(name)}` : several ? run.name : shorter(name));
      const keyed = !both || !panel.names.slice(0, kind).some((other) => points(run, other).x.length);
      const line = { color: shade(several ? which : kind), width: 1.8, dash: several ? DASHES[kind % DASHES.length] : "solid" };
      const whole = { ...found, name: both ? plain(run.name) : label, showlegend: keyed, legendgroup: both ? `run ${which}` : "", line,
        mode: found.x.length < 30 ? "lines+markers" : "lines", marker: { size: 5 },
        hovertemplate: `${label}: %{y:.4g}<extra></extra>`, meta: { run: which, value: name } };
      if (!view.smooth) return [whole];
      const faint = { ...whole, line: { ...line, width: 1 }, opacity: 0.25, showlegend: false, hoverinfo: "skip", hovertemplate: null };
      return [faint, { ...whole, y: smoothed(found.y), mode: "lines" }];
    })).concat(dashes);
  }

  function upright(x, shade, dash, text, position = "end") {
    const line = { type: "line", x0: x, x1: x, y0: 0, y1: 1, yref: "paper", line: { color: shade, width: 1.2, dash } };
    return text ? { ...line, label: { text: plain(text), textposition: position, textangle: 0, font: { size: 10, color: shade }, yanchor: "bottom", xanchor: "left" } } : line;
  }
  function lines() {
    const found = told.runs.flatMap((run) => [
      ...run.stages.flatMap(([seen], k) => { // of stages that begin at one place, as after a rollback, the last
        const covered = run.stages[k + 1] && run.stages[k + 1][0] === seen;
        return covered ? [] : [upright(across(run, seen), ink("--quiet"), "dash", `stage ${k + 2}`)];
      }),
      ...(run.warnings || []).map(([seen]) => upright(across(run, seen), ink("--warning"), "dot", "⚠", "start")),
    ]);
    const run = told.runs.find((each) => (each.columns.images || []).length);
    return run && told.positions.length ? [...found, upright(across(run, images()), ink("--accent"), "solid")] : found;
  }

  function extent() { // the ends of the axis when nothing is zoomed, the same of every panel
    const ends = told.runs.map((run) => points(run, "images").x.reduce((most, x) => Math.max(most, x), 0));
    return [0, 1.01 * (Math.max(...ends) || 1)];
  }

  function height(panel, drawn) { // that of the points between the ends of a zoom
    if (!view.zoom) return {};
    const within = drawn.flatMap(({ x, y }) => y.filter((_, k) => x[k] >= view.zoom[0] && x[k] <= view.zoom[1]));
    const values = panel.log ? within.filter((value) => value > 0).map(Math.log10) : within;
    if (!values.length) return {};
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const rest = 0.05 * (high - low) || 0.05;
    return { range: [low - rest, high + rest] };
  }

  function layout(panel, drawn) {
    const axis = { gridcolor: ink("--line"), zerolinecolor: ink("--line"), linecolor: ink("--line"), automargin: true };
    return {
      margin: { l: 48, r: 10, t: 20, b: 40 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: ink("--ink"), size: 12, family: "system-ui, sans-serif" }, hovermode: "x unified",
      dragmode: touched.matches ? false : "zoom", // a finger on a curve scrolls the page
      hoverlabel: { bgcolor: ink("--paper"), bordercolor: ink("--line"), font: { color: ink("--ink") } },
      showlegend: drawn.filter((trace) => trace.showlegend !== false).length > 1, legend: { orientation: "h", y: 1.08, yanchor: "bottom", x: 0 }, shapes: lines(),
      xaxis: { ...axis, title: { text: titles[view.x], standoff: 8 }, range: [...(view.zoom || extent())] },
      yaxis: { ...axis, type: panel.log ? "log" : "linear", fixedrange: true, ...height(panel, drawn) },
    };
  }

  // What a curve shows, in words, for who does not see it.
  function summary(panel) {
    const said = told.runs.flatMap((run) => panel.names.map((name) => {
      const { y } = points(run, name);
      if (!y.length) return null;
      const ends = `from ${number(y[0])} to ${number(y[y.length - 1])}, least ${number(Math.min(...y))}, most ${number(Math.max(...y))}`;
      return `${told.runs.length > 1 ? `${run.name}, ` : ""}${name} ${ends}`;
    })).filter(Boolean);
    return `${panel.title} over ${titles[view.x]}: ${said.join("; ")}.`;
  }

  function draw() {
    const there = find("#panels");
    if (!there || !window.Plotly) return;
    for (const panel of told.panels.slice(there.children.length)) { // all of them first, so that each has its width
      there.append(make("div", { className: "panel" }, make("h3", { textContent: panel.title }), make("div", { className: "plot" })));
    }
    told.panels.forEach((panel, place) => {
      find("h3", there.children[place]).textContent = panel.title;
      const plot = find(".plot", there.children[place]);
      plot.setAttribute("role", "img");
      plot.setAttribute("aria-label", summary(panel));
      const again = plot.data !== undefined;
      const drawn = traces(panel);
      Plotly.react(plot, drawn, layout(panel, drawn), { displaylogo: false, responsive: true, displayModeBar: false, doubleClick: false });
      if (again) return;
      plot.on("plotly_relayout", zoomed);
      plot.on("plotly_doubleclick", () => zoom(null));
    });
    const axis = find("#axis");
    axis.value = view.x;
    find("#smooth").value = view.smooth;
    find("#smoothness").textContent = view.smooth.toFixed(2);
  }

  function zoomed(change) {
    if ("xaxis.range[0]" in change) zoom([change["xaxis.range[0]"], change["xaxis.range[1]"]]);
  }
  function zoom(range) {
    if (String(range) === String(view.zoom)) return;
    view.zoom = range;
    writeAddress();
    draw();
  }
  function ends() { // of what is shown
    const shown = find(".plot");
    return shown && shown.layout ? shown.layout.xaxis.range.map(Number) : [0, 1];
  }
  function scale(factor) { // around the moment of the slider
    const [low, high] = ends();
    const run = told.runs.find((each) => (each.columns.images || []).length);
    const middle = Math.min(high, Math.max(low, run ? across(run, images()) : (low + high) / 2));
    zoom([middle - (middle - low) * factor, middle + (high - middle) * factor]);
  }
  function moveCursor() {
    if (!window.Plotly) return;
    for (const plot of all(".plot")) if (plot.data) Plotly.relayout(plot, { shapes: lines() });
  }

  async function unpackCharts() {
    const packed = find("#charts");
    if (!packed || window.Plotly) return;
    if (!window.DecompressionStream) {
      find("#panels")?.append("This browser is too old to draw the curves.");
      return;
    }
    const bytes = Uint8Array.from(atob(packed.textContent), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const code = await new Response(stream).text();
    document.head.append(make("script", { textContent: code }));
  }

  // ---- a page that is served while training goes on --------------------------------------------------------------
  let held = false; // a pointer is down, so the reader is in the middle of something
  const said = find("footer");
  function sayWhen() {
    const now = new Date().toLocaleTimeString();
    said.textContent = told.status === "running" ? `As of ${now}; this page refreshes itself.`
      : `As of ${now} the run is ${told.status}; if it goes on, so does this page.`;
  }
  async function ask(address) {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(await answer.text());
    return answer.text();
  }
  async function refresh() {
    if (held) return;
    try {
      const version = await ask("version");
      if (version !== told.version) {
        const fresh = new DOMParser().parseFromString(await ask("./"), "text/html");
        told = JSON.parse(fresh.getElementById("data").textContent);
        const [panels, focus] = [find("#panels"), document.activeElement && document.activeElement.id];
        const open = all("details[open] > summary").map((each) => each.textContent);
        find("#page").replaceChildren(...fresh.getElementById("page").childNodes);
        if (panels && find("#panels")) find("#panels").replaceWith(panels);
        for (const each of all("details")) each.open = each.open || open.includes(find("summary", each).textContent);
        decoded.clear();
        show();
        draw();
        if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
      }
      sayWhen();
    } catch (error) { // fetch itself throws a TypeError
      const why = error instanceof TypeError ? "ganzoo watch does not answer any more" : error.message.replace(/\.$/, "");
      said.textContent = `${why}; the page stays as it was.`;
    }
  }
  if (told.version) {
    sayWhen();
    setInterval(refresh, told.every);
    document.addEventListener("pointerdown", () => { held = true; });
    document.addEventListener("pointerup", () => { held = false; });
    document.addEventListener("pointercancel", () => { held = false; });
  }

  // ---- what the reader does --------------------------------------------------------------------------------------
  document.addEventListener("input", (event) => {
    if (event.target.id === "at") go(Number(event.target.value));
    if (event.target.matches(".edge")) find(".layers", event.target.parentElement).style.setProperty("--edge", `${event.target.value}%`);
    if (event.target.id === "smooth") {
      view.smooth = Number(event.target.value);
      writeAddress();
      draw();
    }
  });
  document.addEventListener("change", (event) => {
    if (event.target.id !== "axis") return;
    view.x = event.target.value;
    view.zoom = null;
    writeAddress();
    draw();
  });
  document.addEventListener("click", (event) => {
    const work = { play, closer: () => scale(0.5), farther: () => scale(2), whole: () => zoom(null) }[event.target.id];
    if (work) work();
    const to = event.target.dataset?.to;  // the address has the view, and cannot have the place
    if (to) document.getElementById(to).scrollIntoView();
  });
  window.addEventListener("hashchange", () => { readAddress(); show(); draw(); });
  dark.addEventListener("change", draw);

  // On paper all of it is open, in the colours of paper, and two curves stand beside each other.
  function paper(on) {
    if (on === (opened !== null)) return;
    if (on) opened = all("details:not([open])");
    for (const each of opened) each.open = on;
    if (!on) opened = null;
    draw();
    for (const plot of all(".plot")) if (plot.data) Plotly.relayout(plot, on ? { width: 335, height: 250 } : { width: null, height: null, autosize: true });
  }
  const printed = matchMedia("print");
  printed.addEventListener("change", () => paper(printed.matches));
  window.addEventListener("beforeprint", () => paper(true));
  window.addEventListener("afterprint", () => paper(false));

  readAddress();
  show();
  unpackCharts().then(() => { draw(); document.body.dataset.ready = "yes"; });
})();
