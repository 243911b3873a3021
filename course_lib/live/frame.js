// What every live figure stands on: a frame with the book's look, canvases, pointers, controls. No dependencies.

const STYLE = `
:host { display: block; }
.live {
  --blue: #0063a0; --orange: #a85a00; --green: #006b4f; --purple: #7a4079; --red: #b3261e;
  --ink: #1c2430; --quiet: #4a5563; --paper: #ffffff; --wash: #f5f7f9; --line: #c3cbd3;
  box-sizing: border-box; padding: 0.9rem 1rem 1rem; border: 1px solid var(--line); border-radius: 8px;
  background: var(--paper); color: var(--ink); font: 16px/1.45 "Source Sans 3", system-ui, sans-serif;
  font-variant-numeric: tabular-nums; }
.live[data-theme=dark] {
  --blue: #7cc4f4; --orange: #f2b35c; --green: #63d3ae; --purple: #dfa3dc; --red: #ff9e94;
  --ink: #e4e8ec; --quiet: #aab4bf; --paper: #14181d; --wash: #1d232a; --line: #48535f; color-scheme: dark; }
.live *, .live *::before { box-sizing: border-box; }
.live p { margin: 0.4rem 0; }
.live canvas { display: block; max-width: 100%; height: auto; border-radius: 4px; }
.live canvas.touched { touch-action: none; cursor: crosshair; user-select: none; -webkit-user-select: none; }
.live :focus-visible { outline: 3px solid var(--orange); outline-offset: 2px; }
.live button, .live select, .live input { font: inherit; color: inherit; }
.live button, .live select, .live input[type=number] {
  min-height: 2.2rem; padding: 0.25rem 0.7rem; border: 1px solid var(--quiet); border-radius: 6px;
  background: var(--wash); }
.live button { cursor: pointer; }
.live button:hover { border-color: var(--blue); color: var(--blue); }
.live button:disabled { opacity: 0.55; cursor: default; }
.live input[type=range] { width: 100%; accent-color: var(--blue); min-height: 1.6rem; margin: 0; }
.live input[type=checkbox], .live input[type=radio] { width: 1.15rem; height: 1.15rem; accent-color: var(--blue); margin: 0; flex: none; }
.live label.tick { display: inline-flex; align-items: center; gap: 0.5rem; min-height: 1.8rem; cursor: pointer; }
.live label.range { display: block; }
.live label.range > span { display: flex; justify-content: space-between; gap: 1rem; }
.live label.range .value { color: var(--quiet); }
.live fieldset { margin: 0; padding: 0; border: 0; min-width: 0; }
.live legend { padding: 0; color: var(--quiet); }
.live .row { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center; }
.live .columns { display: flex; flex-wrap: wrap; gap: 1rem 1.5rem; }
.live .columns > * { flex: 1 1 15rem; min-width: 0; }
.live .quiet { color: var(--quiet); font-size: 0.92em; }
.live [role=status] { min-height: 1.45em; }
.live .title { margin: 0 0 0.3rem; font-weight: 650; }
`;

/** Whether the reader asked for less motion. */
export const still = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * Replace a still picture by its live figure.
 *
 * A figure's module exports by default a function, `async ({ load, module, options }) => element`: `load(file)` gives an
 * ArrayBuffer, `module(name)` the address of another module, `options` comes from Python.
 * If that fails, the picture stays, and a line says why.
 */
export async function mount(place, name, source) {
  try {
    const { default: figure } = await import(source.module(name));
    const body = element("div", { class: "live" }, await figure(source));
    const root = place.attachShadow({ mode: "open" });
    followTheme(body);
    root.append(element("style", {}, STYLE), body);
    place.dataset.live = "on";
  } catch (error) {
    place.append(element("p", { role: "status" }, `The live figure could not start, so this is its picture. (${error.message})`));
    place.dataset.live = "failed";
  }
}

/** An element. Attributes that begin with "on" are listeners; true and false set and leave out; null is no child. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children.flat().filter((child) => child != null));
  return made;
}

// The page's own choice first, as the book, Jupyter and Colab mark it; then the system's.
function pageTheme() {
  const root = document.documentElement;
  const marked = root.dataset.theme ?? root.getAttribute("theme");
  if (marked === "dark" || marked === "light") return marked;
  const jupyter = document.body?.dataset.jpThemeLight;
  if (jupyter) return jupyter === "true" ? "light" : "dark";
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

const themed = new Set();  // figures' elements and the canvases that are drawn again when colours change

function followTheme(body) {
  const set = () => {
    body.dataset.theme = pageTheme();
    for (const redraw of themed) redraw();
  };
  new MutationObserver(set).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "theme"] });
  if (document.body) new MutationObserver(set).observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", set);
  body.dataset.theme = pageTheme();
  document.fonts?.load('14px "Source Sans 3"').then(set, () => {});  // canvases draw with a font only once it is there
}

const COLOURS = {
  light: { blue: "#0063a0", orange: "#a85a00", green: "#006b4f", purple: "#7a4079", red: "#b3261e", ink: "#1c2430", quiet: "#4a5563", paper: "#ffffff", wash: "#f5f7f9", line: "#c3cbd3" },
  dark: { blue: "#7cc4f4", orange: "#f2b35c", green: "#63d3ae", purple: "#dfa3dc", red: "#ff9e94", ink: "#e4e8ec", quiet: "#aab4bf", paper: "#14181d", wash: "#1d232a", line: "#48535f" },
};

/**
 * A canvas of `width` × `height` units that scales with the page and is sharp on any screen.
 *
 * `draw(context, colours)` draws all of it, in those units. Returns `{ canvas, redraw }`; `redraw` draws in the next frame.
 * `label` says what it shows, for a screen reader; `attributes` go to the element.
 */
export function surface(width, height, label, draw, attributes = {}) {
  const sharp = Math.max(2, Math.ceil(globalThis.devicePixelRatio || 1));
  const canvas = element("canvas", { width: width * sharp, height: height * sharp, role: "img", "aria-label": label, ...attributes });
  canvas.style.width = `${width}px`;
  canvas.style.aspectRatio = `${width} / ${height}`;
  const context = canvas.getContext("2d");
  let waiting = false;
  const redraw = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      const colours = COLOURS[canvas.closest(".live")?.dataset.theme ?? pageTheme()];
      context.setTransform(sharp, 0, 0, sharp, 0, 0);
      context.clearRect(0, 0, width, height);
      context.font = '14px "Source Sans 3", system-ui, sans-serif';
      context.save();
      draw(context, colours);
      context.restore();
    });
  };
  themed.add(redraw);
  redraw();
  return { canvas, redraw };
}

/**
 * Drags on a surface by mouse, pen or one finger; a second finger is ignored, and the page does not scroll.
 *
 * `start`, `move` and `end` get `{ x, y }` in the surface's units; `move` gets every point of a fast stroke.
 */
export function drags({ canvas }, width, { start, move, end }) {
  canvas.classList.add("touched");
  let active = null;
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    const scale = box.width > 0 ? width / box.width : 1;
    return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale };
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (active !== null || event.button > 0) return;
    active = event.pointerId;
    try {
      canvas.setPointerCapture(active);
    } catch {
      // a pointer that is gone already: its next event ends the drag
    }
    event.preventDefault();
    canvas.focus?.({ preventScroll: true });
    start?.(at(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== active) return;
    const points = event.getCoalescedEvents?.() ?? [];
    for (const point of points.length ? points : [event]) move?.(at(point));
  });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
    canvas.addEventListener(name, (event) => {
      if (event.pointerId !== active) return;
      active = null;
      end?.();
    });
  }
}

/** Arrow keys on an element call `step(dx, dy)`; other keys call what `others` has under their name, such as " ". */
export function keys(target, step, others = {}) {
  target.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key in moves) step(...moves[event.key]);
    else if (event.key in others) others[event.key]();
    else return;
    event.preventDefault();
  });
}

export function button(text, onclick, attributes = {}) {
  return element("button", { type: "button", onclick, ...attributes }, text);
}

/** A slider with its value beside its name. Returns `{ element, input, set }`; `change(value)` follows each move. */
export function slider(name, { min, max, step = 1, value, write = String }, change) {
  const input = element("input", { type: "range", min, max, step });
  input.value = value;
  const output = element("span", { class: "value", "aria-hidden": "true" }, write(Number(input.value)));  // an output would take the label
  const show = () => {
    output.textContent = write(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.addEventListener("input", () => {
    show();
    change(Number(input.value));
  });
  show();
  const set = (to) => {
    input.value = to;
    show();
  };
  return { element: element("label", { class: "range" }, element("span", {}, name, output), input), input, set };
}

/** A checkbox. Returns `{ element, input }`. */
export function checkbox(name, checked, change) {
  const input = element("input", { type: "checkbox", onchange: () => change(input.checked) });
  input.checked = checked;
  return { element: element("label", { class: "tick" }, input, name), input };
}

let groups = 0;

/** Radio buttons in a row: `choices` is [value, text] pairs. Returns `{ element, set }`. */
export function choice(legend, choices, value, change) {
  const group = `choice-${(groups += 1)}`;
  const inputs = choices.map(([one]) => element("input", { type: "radio", name: group, value: one, onchange: () => change(one) }));
  const set = (to) => inputs.forEach((input, place) => (input.checked = choices[place][0] === to));
  set(value);
  const labels = choices.map(([, text], place) => element("label", { class: "tick" }, inputs[place], text));
  return { element: element("fieldset", { class: "row" }, element("legend", {}, legend), labels), set };
}

/** A menu: `choices` is [value, text] pairs. Returns `{ element, input }`. */
export function menu(name, choices, value, change) {
  const input = element("select", { onchange: () => change(input.value) }, choices.map(([one, text]) => element("option", { value: one }, text)));
  input.value = value;
  return { element: element("label", { class: "row" }, name, input), input };
}

/** A line that a screen reader reads out when it changes: call it with the new text. */
export function status(text = "") {
  const line = element("p", { role: "status" }, text);
  return Object.assign((to) => (line.textContent = to), { element: line });
}

/** A number for a reader: rounded, with a minus sign, and as a power of ten where it is very large or very small. */
export function written(value, decimals = 3) {
  if (!Number.isFinite(value)) return "too large to show";
  const size = Math.abs(value);
  if (size === 0 || (size >= 10 ** -decimals && size < 1e5)) return String(Number(value.toFixed(decimals)) || 0).replace("-", "−");
  const [factor, power] = value.toExponential(1).replace(/-/g, "−").replace(".0e", "e").split("e");
  return `${factor}·10${power.replace("+", "").replace(/./g, (sign) => "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"["0123456789−".indexOf(sign)])}`;
}

const channels = (colour) => [1, 3, 5].map((place) => parseInt(colour.slice(place, place + 2), 16));

/** The colour that lies a part (0 to 1) of the way from one "#rrggbb" to another, as [red, green, blue]. */
export function mixed(from, to, part) {
  const start = channels(from), end = channels(to), share = Math.min(1, Math.max(0, part));
  return start.map((value, place) => Math.round(value + share * (end[place] - value)));
}

/** Draw `rows` × `columns` values as a picture of sharp squares; `colour(value)` gives [red, green, blue]. */
export function drawPixels(context, values, [rows, columns], [x, y, width, height], colour) {
  const small = element("canvas", { width: columns, height: rows }), inside = small.getContext("2d");
  const picture = inside.createImageData(columns, rows);
  values.forEach((value, place) => picture.data.set([...colour(value), 255], 4 * place));
  inside.putImageData(picture, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, x, y, width, height);
}
