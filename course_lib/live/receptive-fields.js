// Choose a unit of a network: the square of pixels that it sees, and how much each of them counts.
import { arithmetic, gradient, halfSquare, outside, square } from "./fields.js";
import { button, drags, drawPixels, element, keys, menu, mixed, slider, status, surface } from "./frame.js";
import { enlarged } from "./resize.js";
import { readTensors } from "./tensors.js";

const MAP = 220, VIEW = 340;  // sides of the two pictures, in their units
const DIGIT = { number: 4, side: 28 };
const KINDS = { Conv2d: "convolution", MaxPool2d: "max-pool", AvgPool2d: "average pool" };
const STYLE = `
.live .sums { display: grid; gap: 0.5rem 1.5rem; margin: 0.8rem 0; padding: 0; list-style: none; }
.sums li { border-top: 1px solid var(--line); padding-top: 0.35rem; }
.sums .quiet { display: block; line-height: 1.3; }
.key { display: inline-flex; align-items: center; gap: 0.45rem; }
.key i { flex: none; width: 1.1rem; height: 1.1rem; border: 2px solid var(--orange); }
.key[hidden] { display: none; }
.key .none { border: 0; background: repeating-linear-gradient(135deg, var(--line) 0 1px, var(--wash) 1px 5px); }
.key .half { border-style: dashed; }
.key .shade { border: 0; background: var(--blue); }
.live .keys { gap: 0.1rem 1.2rem; margin: 0.5rem 0; font-size: 0.92em; color: var(--quiet); }
.live .top { margin-bottom: 0.7rem; }
.live .top > * { flex: 1 1 14rem; }
.live .below { margin-top: 0.6rem; }
.receptive { container-type: inline-size; }
.parts { display: grid; gap: 0.4rem 1.5rem; grid-template-areas: "map" "view" "said"; align-items: start; }
@container (min-width: 34rem) { .parts { grid-template: "map view" auto "said view" 1fr / 1fr 340px; } .live .sums { grid-template-columns: 1fr 1fr; } }
`;

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const number = (value) => value.toLocaleString("en").replace("-", "−");
const squared = (side) => `${number(side)}\u00a0×\u00a0${number(side)}`;
const percent = (share) => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)}\u00a0%`;

export default async function receptiveFields({ load, options }) {
  const [table, digits] = await Promise.all([load("windows.json"), load("test-digits.safetensors.gz")]);
  const networks = JSON.parse(new TextDecoder().decode(table));
  const { images: { data } } = await readTensors(digits);
  const digit = data.slice(DIGIT.number * DIGIT.side ** 2, (DIGIT.number + 1) * DIGIT.side ** 2);
  const state = { name: null, place: 0, row: 0, column: 0 };
  let network, fields, picture, margin, seen;  // of the chosen network; `seen` of the chosen unit

  const map = surface(MAP, MAP, "", drawMap, { tabindex: 0, role: "application" });
  const view = surface(VIEW, VIEW, "", drawView);
  const said = status(), title = element("p", { class: "title" }), sums = element("ul", { class: "sums" }), half = key("half", "holds half of the gradient");

  const chosen = menu("Network", options.networks.map((name) => [name, name]), options.start, open);
  const depth = slider("Layer", { min: 1, max: 1, value: 1, write: describe }, (value) => put({ place: value - 1, ...middle(value - 1) }));

  function open(name) {
    network = networks[name];
    fields = arithmetic(network);
    state.name = name;
    picture = enlarged(digit, DIGIT.side, network.side);
    const over = Math.max(...fields.map(({ start, size, jump, units }) => Math.max(-start, start + (units - 1) * jump + size - network.side)));
    margin = Math.ceil(clamp(over, 1, network.side / 2)) + 1;  // beyond, a square may leave the frame
    depth.input.max = fields.length;
    depth.set(fields.length);
    put({ place: fields.length - 1, ...middle(fields.length - 1) });
  }

  const middle = (place) => ({ row: (fields[place].units - 1) >> 1, column: (fields[place].units - 1) >> 1 });

  function describe(value) {
    if (!network) return "";
    const { name, type, kernel } = network.steps[value - 1];
    return `${value} of ${fields.length}: ${name}, ${type === "add" ? "branch + shortcut" : `${KINDS[type]} ${kernel} × ${kernel}`}`;
  }

  function put(changes) {
    Object.assign(state, changes);
    const { place, row, column } = state, field = fields[place], { side } = network;
    const values = gradient(network, place, row, column), box = square(field, row, column);
    const most = values.reduce((larger, value) => Math.max(larger, value), 0);
    const alike = values.every((value) => value === 0 || Math.abs(value - most) < 1e-9 * most);
    seen = { values, box, most, inner: alike ? null : halfSquare(values, side, box) };
    write(field, seen);
    for (const { redraw } of [map, view]) redraw();
  }

  function write({ units, size }, { box, inner }) {
    const out = outside(box, network.side);
    const far = Math.min(box.top, box.left) < -margin || Math.max(box.top, box.left) + size > network.side + margin;
    const unit = `Unit (${state.row + 1}, ${state.column + 1}) sees ${squared(size)} pixels.`;
    const border = out > 0 ? ` Of this square, ${percent(out)} lies outside of the image, in the padding${far ? ", and some of it outside of this frame" : ""}.` : "";
    const counts = inner === null
      ? " All of them count the same."
      : ` They do not count the same: the dashed square, ${squared(inner)} pixels or ${percent((inner / size) ** 2)} of the field, holds half of the gradient.`;
    said(`${unit}${border}${counts}`);
    half.hidden = inner === null;
    map.canvas.setAttribute("aria-label", `A map of ${units} by ${units} units. Row ${state.row + 1}, column ${state.column + 1} is chosen; arrow keys move the choice.`);
    view.canvas.setAttribute("aria-label", `A digit of ${network.side} by ${network.side} pixels. ${unit}`);
    title.textContent = `What it sees of the image, ${squared(network.side)} pixels`;
    sums.replaceChildren(...arithmeticLines());
  }

  function arithmeticLines() {
    const { type, inputs, kernel, stride, padding, dilation } = network.steps[state.place], { size, jump, start } = fields[state.place];
    const before = inputs.map((place) => fields[place] ?? { size: 1, jump: 1, start: 0 });
    const line = (words, sum, value) => element("li", {}, element("span", { class: "quiet" }, words), `${sum}${sum ? " = " : ""}`, element("strong", {}, `${number(value)} px`));
    const window = dilation === 1 ? `(${kernel} − 1)` : `(${kernel} − 1) · ${dilation}`;
    const top = line("top of this unit's field = start + (row − 1) · jump", `${number(start)} + (${state.row + 1} − 1) · ${number(jump)}`, start + state.row * jump);
    const rules = type === "add"
      ? [
        line("field = the larger of branch and shortcut", `max(${before.map((one) => number(one.size)).join(", ")})`, size),
        line("jump: the same on both paths", "", jump),
        line("start = the smaller of both", `min(${before.map((one) => number(one.start)).join(", ")})`, start),
      ]
      : [
        line("field = field before + (window − 1) · jump before", `${number(before[0].size)} + ${window} · ${number(before[0].jump)}`, size),
        line("jump = jump before · stride", `${number(before[0].jump)} · ${stride}`, jump),
        line("start = start before − padding · jump before", `${number(before[0].start)} − ${padding} · ${number(before[0].jump)}`, start),
      ];
    return [...rules, top];
  }

  function drawMap(context, colours) {
    const { units } = fields[state.place], cell = MAP / units;
    context.fillStyle = colours.wash;
    context.fillRect(0, 0, MAP, MAP);
    context.strokeStyle = colours.line;
    context.lineWidth = 1;
    for (let place = 0; place <= units; place += 1) {
      if (cell < 4 && place % units !== 0) continue;  // too fine to draw
      const at = clamp(place * cell, 0.5, MAP - 0.5);
      context.strokeRect(at, 0, 0, MAP);
      context.strokeRect(0, at, MAP, 0);
    }
    const mark = Math.max(cell, 7), at = (place) => clamp((place + 0.5) * cell - mark / 2, 0, MAP - mark);
    context.fillStyle = colours.orange;
    context.fillRect(at(state.column), at(state.row), mark, mark);
  }

  function drawView(context, colours) {
    const { side } = network, scale = VIEW / (side + 2 * margin), at = (pixel) => (pixel + margin) * scale;
    context.fillStyle = colours.wash;
    context.fillRect(0, 0, VIEW, VIEW);
    context.strokeStyle = colours.line;
    context.lineWidth = 1;
    for (let place = -VIEW; place < VIEW; place += 9) {  // hatched: no image here
      context.beginPath();
      context.moveTo(place, VIEW);
      context.lineTo(place + VIEW, 0);
      context.stroke();
    }
    const papers = Array.from({ length: 64 }, (_, step) => mixed(colours.paper, colours.ink, (0.4 * step) / 63));
    const blue = mixed(colours.blue, colours.blue, 1), { values, most, box, inner } = seen;
    const colourOf = (place) => {
      const share = values[place] > 0 ? 0.1 + (0.9 * values[place]) / most : 0;  // a touch of blue wherever it is not zero
      return papers[Math.round((63 * picture[place]) / 255)].map((value, channel) => Math.round(value + share * (blue[channel] - value)));
    };
    drawPixels(context, values.map((_, place) => place), [side, side], [at(0), at(0), side * scale, side * scale], colourOf);
    context.strokeStyle = colours.quiet;
    context.strokeRect(at(0), at(0), side * scale, side * scale);
    const outline = (first, left, size, dashes) => {
      context.setLineDash(dashes);
      context.strokeStyle = colours.paper;
      context.lineWidth = 4;
      context.strokeRect(at(left), at(first), size * scale, size * scale);
      context.strokeStyle = colours.orange;
      context.lineWidth = 2;
      context.strokeRect(at(left), at(first), size * scale, size * scale);
      context.setLineDash([]);
    };
    if (inner !== null) outline(box.top + (box.size - inner) / 2, box.left + (box.size - inner) / 2, inner, [6, 4]);
    outline(box.top, box.left, box.size, []);
  }

  const choose = ({ x, y }) => {
    const { units } = fields[state.place], at = (value) => clamp(Math.floor((value / MAP) * units), 0, units - 1);
    if (at(y) !== state.row || at(x) !== state.column) put({ row: at(y), column: at(x) });
  };
  drags(map, MAP, { start: choose, move: choose });
  keys(map.canvas, (dx, dy) => {
    const last = fields[state.place].units - 1;
    put({ row: clamp(state.row + dy, 0, last), column: clamp(state.column + dx, 0, last) });
  });

  function key(kind, text) {
    return element("span", { class: "key" }, element("i", { class: kind }), text);
  }

  open(options.start);
  return element(
    "div",
    { class: "receptive" },
    element("style", {}, STYLE),
    element("div", { class: "row top" }, chosen.element, depth.element),
    element(
      "div",
      { class: "parts" },
      element(
        "div",
        { style: "grid-area: map" },
        element("p", { class: "title" }, "The layer's map: choose a unit"),
        map.canvas,
        element("div", { class: "row below" }, button("Middle", () => put(middle(state.place))), button("Corner", () => put({ row: 0, column: 0 }))),
      ),
      element(
        "div",
        { style: "grid-area: view" },
        title,
        view.canvas,
        element("div", { class: "row keys" }, key("field", "receptive field"), half, key("shade", "influence of a pixel (gradient): dark is large"), key("none", "no image: padding")),
      ),
      element("div", { style: "grid-area: said" }, said.element),
    ),
    sums,
    element("p", { class: "quiet" }, "The gradient is computed with one channel, all weights 1, averages in place of maxima, and no ReLU. Then a pixel counts by the number of paths that lead from it to the unit. Rows and columns of units count from 1. Start and top are measured from the top of the image."),
  );
}
