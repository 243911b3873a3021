// A convolution as a moving window: a kernel that the reader edits, and the sum at each position written out.
import { button, choice, drags, element, keys, menu, mixed, status, still, surface, written } from "./frame.js";
import { outputSide } from "./tensors.js";
import { KERNELS, LARGEST, MOST, PICTURES, SIDE, featureMap, middle, readWeight, windowTerms } from "./windows.js";

const UNITS = 240;  // of a drawing
const SHADES = [0, 0.35, 1];  // how much ink the pixel values 0, 1 and 2 have
const PACE = 450;  // milliseconds a position, when the window slides

const OWN = "your own";

const STYLE = `
.stage { display: flex; flex-wrap: wrap; gap: 0.8rem 1.1rem; align-items: flex-start; margin: 0.9rem 0; }
.channel { display: contents; }
.map { flex: 1 1 17rem; max-width: 21rem; min-width: 0; }
.result { flex: 1 1 18rem; min-width: 0; }
.result > .row { align-items: flex-start; flex-wrap: wrap; gap: 0.8rem 1.1rem; }
.output { flex: 1 1 8.7rem; max-width: 15rem; min-width: 0; }
.several .channel { display: block; flex: 0 0 min(12rem, 47%); min-width: min-content; }
.several .result { display: flex; flex-wrap: wrap; gap: 0.3rem 1.1rem; flex-basis: 100%; }
.several .result > * { flex: 1 1 15rem; }
.several .result > .row { flex: 0 1 15rem; }
.several .kernel { margin-top: 0.6rem; }
.stage canvas { width: 100% !important; }
.weights { display: inline-grid; gap: 3px; }
.live .weights input { width: 2.55rem; padding: 0; text-align: center; appearance: textfield; -moz-appearance: textfield; }
.live .weights input::-webkit-inner-spin-button { appearance: none; margin: 0; }
.live .weights.wide input { width: 2rem; }
.live .weights input[aria-invalid=true] { border: 2px solid var(--red); }
.live .wrong { color: var(--red); min-height: 0; }
.live .wrong:empty { display: none; }
.position { font-weight: 650; }
.written { min-height: 5em; }
.written .line { display: block; }
.written .line span, .formula span { white-space: nowrap; }
.written .zero { color: var(--quiet); }
.written .counts { color: var(--ink); font-weight: 650; }
.live .formula { margin: 0.9rem 0 0; }
.settings { display: grid; grid-template-columns: repeat(auto-fill, minmax(7.6rem, 1fr)); gap: 0.5rem 0.9rem; margin-top: 0.8rem; }
.live .settings .row { gap: 0.1rem 0.7rem; }
.live .settings label.tick { gap: 0.35rem; }
.menus label { display: grid !important; gap: 0.1rem !important; justify-items: start; }
`;

const short = (value) => written(Math.round(1000 * value) / 1000);  // 0.1 + 0.2 − 0.3 is 0 for a reader
const bracketed = (value) => (value < 0 ? `(${short(value)})` : short(value));
const total = (values) => values.reduce((sum, value) => sum + value, 0);
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** A channel's sum as elements, a line for each `row` of terms. In a long sum, zeros are left out and counted. */
function writtenSum(terms, row) {
  const shown = row ? terms : terms.filter(({ pixel, weight }) => pixel * weight !== 0);
  const parts = shown.map(({ pixel, weight }, at) => [
    element("span", { class: pixel * weight ? "counts" : "zero" }, `${short(pixel)}·${bracketed(weight)}`),
    at < terms.length - 1 ? " + " : "",
  ]);
  const left = terms.length - shown.length;
  if (left) parts.push([element("span", { class: "zero" }, `${left} × 0`)]);
  if (!row) return parts.flat();
  return Array.from({ length: terms.length / row }, (_, line) => element("span", { class: "line" }, parts.slice(line * row, (line + 1) * row).flat()));
}

export default async function movingWindow({ options }) {
  const state = {
    picture: options.picture, preset: options.kernel, k: 3, stride: 1, padding: 0, dilation: 1, channels: 1,
    row: options.row, column: options.column, cursor: { x: 3, y: 3 },
  };
  const pictures = [[], [], []], weights = [0, 1, 2].map(() => Array(LARGEST * LARGEST).fill(0));
  let output = { side: 0, data: [] }, sliding = null;

  const used = () => pictures.slice(0, state.channels);
  const sheets = () => weights.slice(0, state.channels).map((sheet) => middle(state.k).map((place) => sheet[place]));

  const said = status(), wrong = element("p", { class: "wrong", role: "status" });
  const sum = element("div", { class: "written" }), formula = element("p", { class: "quiet formula" });
  const stage = element("div", { class: "stage" }), beside = element("div", { class: "row" });
  const channels = pictures.map((_, channel) => channelView(channel));
  const result = surface(UNITS, UNITS, "", drawOutput, { tabindex: 0, role: "application" });
  const resultSide = element("span", { class: "quiet" });
  beside.append(element("div", { class: "output" }, element("p", { class: "title" }, "Output ", resultSide), result.canvas));
  stage.append(...channels.map((view) => view.element), element("div", { class: "result" }, beside, element("div", {}, element("div", { class: "position" }, said.element), wrong, sum)));
  const redrawAll = () => [result, ...channels.map((view) => view.input)].forEach(({ redraw }) => redraw());
  new ResizeObserver(redrawAll).observe(stage);  // numbers are drawn where they can be read

  // A cell: its ground, and what is written in it, if that is large enough to read. `zoom` is screen pixels a unit.
  function drawText(context, text, x, y, cell, zoom, colour, share = 0.46) {
    const size = clamp(share * cell * zoom, 0, 16);
    context.font = `${size / zoom}px "Source Sans 3", system-ui, sans-serif`;
    if (size < 9 || context.measureText(text).width > 0.94 * cell) return false;
    context.fillStyle = colour;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(text, x, y);
    return true;
  }
  const zoomOf = (canvas) => (canvas.clientWidth || UNITS) / UNITS;

  function drawInput(context, colours, channel) {
    if (channel >= state.channels) return;
    const { k, padding, stride, dilation } = state, across = SIDE + 2 * padding, cell = UNITS / across;
    const { canvas } = channels[channel].input, zoom = zoomOf(canvas), large = cell * zoom >= 31;
    const windows = new Map();  // of each cell in the window: its weight
    if (output.side) {
      sheets()[channel].forEach((weight, at) => {
        const y = state.row * stride + Math.floor(at / k) * dilation, x = state.column * stride + (at % k) * dilation;
        windows.set(y * across + x, weight);
      });
    }
    context.lineWidth = 1;
    for (let place = 0; place < across * across; place += 1) {
      const x = place % across, y = Math.floor(place / across);
      const inside = x >= padding && x < SIDE + padding && y >= padding && y < SIDE + padding;
      const value = inside ? pictures[channel][(y - padding) * SIDE + x - padding] : 0;
      context.fillStyle = inside ? `rgb(${mixed(colours.paper, colours.ink, SHADES[value])})` : colours.wash;
      context.fillRect(x * cell, y * cell, cell, cell);
      context.strokeStyle = colours.line;
      context.setLineDash(inside ? [] : [3, 3]);
      context.strokeRect(x * cell + 0.5, y * cell + 0.5, cell - (x === across - 1), cell - (y === across - 1));
      const colour = value === 2 ? colours.paper : value || windows.has(place) ? colours.ink : colours.quiet;
      const lifted = large && windows.has(place);
      drawText(context, short(value), (x + 0.5) * cell, (y + (lifted ? 0.38 : 0.52)) * cell, cell, zoom, colour, lifted ? 0.36 : 0.42);
      if (lifted) drawText(context, `×${short(windows.get(place))}`, (x + 0.5) * cell, (y + 0.73) * cell, cell, zoom, colour, 0.29);
    }
    context.setLineDash([]);
    context.strokeStyle = colours.orange;
    for (const place of windows.keys()) {
      context.lineWidth = dilation > 1 ? 2.5 : 1;
      context.strokeRect((place % across) * cell + 1, Math.floor(place / across) * cell + 1, cell - 2, cell - 2);
    }
    if (windows.size) {
      const span = (dilation * (k - 1) + 1) * cell;
      context.lineWidth = dilation > 1 ? 1.5 : 3;
      context.strokeRect(state.column * stride * cell + 1, state.row * stride * cell + 1, span - 2, span - 2);
    }
    if (canvas.matches(":focus-visible")) {
      context.strokeStyle = colours.blue;
      context.lineWidth = 2.5;
      context.setLineDash([4, 3]);
      context.strokeRect((state.cursor.x + padding) * cell + 3, (state.cursor.y + padding) * cell + 3, cell - 6, cell - 6);
      context.setLineDash([]);
    }
  }

  const outputCell = () => Math.min(UNITS / output.side, UNITS / 6);  // so that a small map looks small

  function drawOutput(context, colours) {
    const { side, data } = output, zoom = zoomOf(result.canvas);
    if (!side) {
      context.fillStyle = colours.quiet;
      context.strokeStyle = colours.line;
      context.setLineDash([4, 4]);
      context.strokeRect(1, 1, UNITS - 2, UNITS - 2);
      context.setLineDash([]);
      context.textAlign = "center";
      context.fillText("no output", UNITS / 2, UNITS / 2);
      return;
    }
    const cell = outputCell(), most = Math.max(...data.map(Math.abs), 1e-6);
    context.lineWidth = 1;
    data.forEach((value, place) => {
      const x = (place % side) * cell, y = Math.floor(place / side) * cell;
      context.fillStyle = `rgb(${mixed(colours.paper, value < 0 ? colours.blue : colours.red, (0.45 * Math.abs(value)) / most)})`;
      context.fillRect(x, y, cell, cell);
      context.strokeStyle = colours.line;
      context.strokeRect(x + 0.5, y + 0.5, cell - 1, cell - 1);
      const text = short(value), at = [x + cell / 2, y + 0.53 * cell, cell, zoom, text === "0" ? colours.quiet : colours.ink];
      if (!drawText(context, text, ...at) && !drawText(context, text, ...at, 0.34) && text !== "0") drawText(context, value < 0 ? "−" : "+", ...at, 0.8);
    });
    context.strokeStyle = colours.orange;
    context.lineWidth = 4;
    context.strokeRect(state.column * cell + 2, state.row * cell + 2, cell - 4, cell - 4);
  }

  function channelView(channel) {
    const input = surface(UNITS, UNITS, "", (context, colours) => drawInput(context, colours, channel), { tabindex: 0, role: "application" });
    const grid = element("div", { class: "weights" }), heading = element("p", { class: "title" }), title = element("p", { class: "title" });
    const cellAt = (point) => {
      const cell = UNITS / (SIDE + 2 * state.padding), at = (value) => Math.floor(value / cell) - state.padding;
      return { x: at(point.x), y: at(point.y) };
    };
    let pressed = null;  // the pixel of a tap, until the pointer leaves it: then it is a drag
    drags(input, UNITS, {
      start: (point) => (pressed = cellAt(point)),
      move(point) {
        const { x, y } = cellAt(point);
        if (pressed && pressed.x === x && pressed.y === y) return;
        pressed = null;
        const first = (place) => Math.round((place + state.padding - (state.dilation * (state.k - 1)) / 2) / state.stride);
        move(first(y), first(x));
      },
      end() {
        if (pressed) change(channel, pressed);
        pressed = null;
      },
    });
    keys(
      input.canvas,
      (dx, dy) => {
        state.cursor = { x: clamp(state.cursor.x + dx, 0, SIDE - 1), y: clamp(state.cursor.y + dy, 0, SIDE - 1) };
        said(`${pixelAt(channel, state.cursor)}.`);
        input.redraw();
      },
      { " ": () => change(channel, state.cursor), Enter: () => change(channel, state.cursor) },
    );
    for (const name of ["focus", "blur"]) input.canvas.addEventListener(name, input.redraw);
    const fill = () => {
      const several = state.channels > 1, name = several ? ` ${channel + 1}` : "";
      heading.textContent = several ? `Input, channel ${channel + 1}` : "Input";
      title.textContent = several ? "Kernel slice" : "Kernel";
      grid.style.gridTemplateColumns = `repeat(${state.k}, auto)`;
      grid.classList.toggle("wide", state.k === LARGEST);
      const places = channel < state.channels ? middle(state.k) : [];
      grid.replaceChildren(...places.map((place, at) => {
        const label = `Kernel${name}, row ${Math.floor(at / state.k) + 1}, column ${(at % state.k) + 1}`;
        const field = element("input", { type: "number", step: "any", min: -MOST, max: MOST, "aria-label": label, autocomplete: "off" });
        field.value = weights[channel][place];
        field.addEventListener("input", () => {
          const value = readWeight(field.value);
          field.setAttribute("aria-invalid", value === null);
          weights[channel][place] = value ?? 0;
          presets.input.value = OWN;
          update();
        });
        return field;
      }));
    };
    const kernel = element("div", { class: "kernel" }, title, grid);
    const body = element("div", { class: "channel" }, element("div", { class: "map" }, heading, input.canvas), kernel);
    return { element: body, kernel, input, fill };
  }

  const pixelAt = (channel, { x, y }) => `Pixel in row ${y + 1}, column ${x + 1}: ${pictures[channel][y * SIDE + x]}`;

  function change(channel, { x, y }) {
    if (x < 0 || y < 0 || x >= SIDE || y >= SIDE) return;  // padding stays 0
    pictures[channel][y * SIDE + x] = (pictures[channel][y * SIDE + x] + 1) % SHADES.length;
    state.cursor = { x, y };
    subjects.input.value = OWN;
    update();
    said(`${pixelAt(channel, state.cursor)}. ${said.element.textContent}`);
  }

  function move(row, column) {
    stop();
    put(row, column);
  }

  function put(row, column) {
    const to = { row: clamp(row, 0, Math.max(0, output.side - 1)), column: clamp(column, 0, Math.max(0, output.side - 1)) };
    if (to.row === state.row && to.column === state.column) return;
    Object.assign(state, to);
    update();
  }

  drags(result, UNITS, { start: pointAt, move: pointAt });
  result.canvas.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse" && event.buttons === 0 && output.side) pointAt({ x: event.offsetX / zoomOf(result.canvas), y: event.offsetY / zoomOf(result.canvas) });
  });
  keys(result.canvas, (dx, dy) => move(state.row + dy, state.column + dx));
  function pointAt({ x, y }) {
    if (output.side) move(Math.floor(y / outputCell()), Math.floor(x / outputCell()));
  }

  const slide = button(still.matches ? "Next position" : "Slide the window", () => {
    if (sliding) return stop();
    next();
    if (still.matches) return undefined;
    said.element.setAttribute("aria-live", "off");
    slide.textContent = "Stop";
    return (sliding = setInterval(next, PACE));
  });
  function next() {
    const { side } = output, at = state.row * side + state.column + 1;
    if (at >= side * side) stop();
    if (side) put(Math.floor(at / side) % side, at % side);
    if (!slide.isConnected) stop();
  }
  function stop() {
    if (!sliding) return;
    clearInterval(sliding);
    sliding = null;
    said.element.removeAttribute("aria-live");
    slide.textContent = "Slide the window";
  }

  function update() {
    const { k, stride, padding, dilation } = state, settings = { stride, padding, dilation };
    const fit = outputSide(SIDE, k, settings), span = dilation * (k - 1) + 1;
    output = fit > 0 ? featureMap(used(), sheets(), k, settings) : { side: 0, data: [] };
    state.row = clamp(state.row, 0, Math.max(0, output.side - 1));
    state.column = clamp(state.column, 0, Math.max(0, output.side - 1));
    resultSide.textContent = output.side ? `${output.side} × ${output.side}` : "";
    const rest = SIDE + 2 * padding - span;
    const steps = ["⌊(n + 2p − d(k − 1) − 1) / s⌋ + 1", `⌊(${SIDE} + 2·${padding} − ${dilation}·(${k} − 1) − 1) / ${stride}⌋ + 1`, `⌊${written(rest)} / ${stride}⌋ + 1`, `${written(fit)}.`];
    formula.replaceChildren("Output side", ...steps.flatMap((step) => [" ", element("span", {}, `= ${step}`)]), ` Here n is the input's side, ${SIDE}, and the brackets ⌊ ⌋ round down.`);
    for (const [channel, view] of channels.entries()) {
      view.element.hidden = channel >= state.channels;
      view.element.style.display = channel >= state.channels ? "none" : "";
      view.input.canvas.setAttribute("aria-label", `Input${state.channels > 1 ? `, channel ${channel + 1}` : ""}, ${SIDE} by ${SIDE} pixels. Arrow keys move a cursor, the space bar changes its pixel. Dragging moves the window.`);
    }
    stage.classList.toggle("several", state.channels > 1);
    result.canvas.setAttribute("aria-label", output.side ? `Output, ${output.side} by ${output.side} numbers. Arrow keys move the window.` : "No output.");
    const fields = [...stage.querySelectorAll("[aria-invalid=true]")].map((field) => field.getAttribute("aria-label"));
    wrong.textContent = fields.length ? `${fields[0]}: type a number from −${MOST} to ${MOST}. Until then it counts as 0.` : "";
    writeSum(fit, span);
    slide.disabled = !output.side;
    sum.hidden = !output.side;
    redrawAll();
  }

  function writeSum(fit, span) {
    if (fit < 1) {
      said(`No window fits: it spans ${span} pixels, and the picture${state.padding ? " with its padding" : ""} only ${SIDE + 2 * state.padding}. Add padding, or make the window smaller.`);
      sum.replaceChildren();
      return;
    }
    const terms = windowTerms(used(), sheets(), state.k, state, state.row, state.column);
    const sums = terms.map((list) => total(list.map(({ pixel, weight }) => pixel * weight)));
    const value = short(total(sums)), row = state.channels === 1 && state.k < LARGEST ? state.k : 0;
    said(`Row ${state.row + 1}, column ${state.column + 1} of the output: ${value}`);
    if (state.channels === 1) return sum.replaceChildren(element("p", {}, writtenSum(terms[0], row), " = ", element("strong", {}, value)));
    const lines = terms.map((list, channel) => element("p", {}, `Channel ${channel + 1}: `, writtenSum(list, 0), ` = ${short(sums[channel])}`));
    return sum.replaceChildren(...lines, element("p", {}, `All channels: ${sums.map((one, at) => (at ? bracketed(one) : short(one))).join(" + ")} = `, element("strong", {}, value)));
  }

  function setKernel(name) {
    if (!(name in KERNELS)) return;
    if (state.k === 1 && name !== "copy") {
      state.k = 3;
      sides.set(3);
    }
    const places = middle(3);
    for (const sheet of weights) {
      sheet.fill(0);
      KERNELS[name].forEach((weight, at) => (sheet[places[at]] = weight));
    }
    arrange();
  }
  function arrange() {  // one kernel stands beside the output, slices each below its own input
    const [{ element: first, kernel }] = channels;
    if (state.channels > 1) first.append(kernel);
    else beside.prepend(kernel);
    channels.forEach(({ fill }) => fill());
  }
  function setPicture(name) {
    if (!(name in PICTURES)) return;
    const names = Object.keys(PICTURES).filter((one) => one !== "empty");  // further channels show the other pictures
    pictures.forEach((pixels, channel) => {
      const own = name === "empty" ? name : names[(names.indexOf(name) + channel) % names.length];
      pixels.splice(0, pixels.length, ...[...PICTURES[own].join("")].map(Number));
    });
  }
  const after = (set) => (value) => {
    stop();
    set(value);
    update();
  };
  const pairs = (names) => [...names, OWN].map((name) => [name, name]);
  const presets = menu("Kernel", pairs(Object.keys(KERNELS)), state.preset, after(setKernel));
  const subjects = menu("Picture", pairs(Object.keys(PICTURES)), state.picture, after(setPicture));
  const setting = (legend, name, values) => choice(legend, values.map((value) => [value, String(value)]), state[name], after((value) => {
    state[name] = value;
    arrange();
  }));
  const sides = setting("Kernel side k", "k", [1, 3, 5]);

  setPicture(state.picture);
  setKernel(state.preset);
  update();
  return element(
    "div",
    {},
    element("style", {}, STYLE),
    element("div", { class: "row menus" }, presets.element, subjects.element),
    stage,
    element("div", { class: "row" }, slide, element("span", { class: "quiet", style: "flex: 1 1 16rem" }, "Drag over the input or the output to move the window. Tap a pixel of the input to change it. Keyboard: on the output, arrow keys move the window; on the input, they move a cursor, and the space bar changes its pixel.")),
    element(
      "div",
      { class: "settings" },
      sides.element,
      setting("Stride s", "stride", [1, 2, 3]).element,
      setting("Padding p", "padding", [0, 1, 2]).element,
      setting("Dilation d", "dilation", [1, 2]).element,
      setting("Input channels", "channels", [1, 2, 3]).element,
    ),
    formula,
  );
}
