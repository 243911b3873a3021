// What np.resize makes of digits: the same numbers in another shape. Choose a side, and a pixel to see where it is from.
import { button, choice, drags, drawPixels, element, keys, mixed, slider, status, surface } from "./frame.js";
import { enlarged, origin, refilled } from "./resize.js";
import { readTensors } from "./tensors.js";

const FROM = 28, SMALL = 154, LARGE = 336;  // side of a digit in pixels, and of the pictures in their units
const STYLE = `
.refill { container-type: inline-size; }
.parts { display: grid; gap: 0.8rem 1.5rem; grid-template-areas: "small" "large" "controls"; align-items: start; }
.small { display: grid; grid-template-columns: repeat(2, minmax(0, 154px)); gap: 0.8rem 1.2rem; }
.small .quiet { margin: 0.2rem 0 0; min-height: 2.9em; }
@container (min-width: 40rem) { .parts { grid-template: "small large" auto "controls large" 1fr / 1fr 336px; } }
.live .filled { margin: 0 0 0.4rem; min-height: 2.7em; line-height: 1.35; }
.live .below { margin-top: 0.5rem; }
.live .controls > * + * { margin-top: 0.7rem; }
`;
const squared = (side) => `${side}\u00a0×\u00a0${side}`;
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

export default async function refill({ load, options }) {
  const { images, labels } = await readTensors(await load("test-digits.safetensors.gz"));
  const count = labels.shape[0];
  const state = { batch: true, image: 0, side: options.side, row: 0, column: 0 };
  let pixels, made, source;  // of the picture: what np.resize gives, and where the chosen pixel is from

  const digitAt = (number) => images.data.subarray(number * FROM ** 2, (number + 1) * FROM ** 2);
  const own = () => (state.batch ? 0 : state.image);  // one digit alone is a batch of its own
  const digit = () => digitAt(own() + source.digit);

  const wanted = surface(SMALL, SMALL, "", (context, colours) => {
    draw(context, colours, made, state.side, SMALL);
  });
  const from = surface(SMALL, SMALL, "", (context, colours) => {
    draw(context, colours, digit(), FROM, SMALL);
    const scale = SMALL / FROM;
    outline(context, colours, [0, source.row * scale, SMALL, scale], 1);
    outline(context, colours, [source.column * scale, source.row * scale, scale, scale], 3);
  });
  const large = surface(LARGE, LARGE, "", drawLarge, { tabindex: 0, role: "application" });
  const wantedText = element("p", { class: "quiet" }), fromText = element("p", { class: "quiet" }), title = element("p", { class: "title" });
  const filled = element("p", { class: "quiet filled" }), held = element("p"), said = status();

  function draw(context, colours, values, side, size) {
    drawPixels(context, values, [side, side], [0, 0, size, size], (value) => mixed(colours.paper, colours.ink, value / 255));
    context.strokeStyle = colours.line;
    context.lineWidth = 1;
    context.strokeRect(0.5, 0.5, size - 1, size - 1);
  }

  function outline(context, colours, box, width) {
    context.strokeStyle = colours.orange;
    context.lineWidth = width;
    context.strokeRect(...box);
  }

  function drawLarge(context, colours) {
    const { side } = state, scale = LARGE / side;
    draw(context, colours, pixels, side, LARGE);
    const first = state.row * side + state.column - source.row * FROM - source.column;  // where this digit begins
    const line = first + source.row * FROM;  // and its row
    for (const [start, length, colour, share] of [[first, FROM ** 2, colours.orange, 0.22], [line, FROM, colours.orange, 0.5]]) {
      context.fillStyle = colour;
      context.globalAlpha = share;
      for (let row = Math.max(0, Math.floor(start / side)); row <= Math.min(side - 1, Math.floor((start + length - 1) / side)); row += 1) {
        const left = Math.max(0, start - row * side), right = Math.min(side, start + length - row * side);
        context.fillRect(left * scale, row * scale, (right - left) * scale, scale);
      }
    }
    context.globalAlpha = 1;
    const mark = Math.max(scale, 7), at = (place) => (place + 0.5) * scale - mark / 2;
    outline(context, colours, [at(state.column), at(state.row), mark, mark], 3);
  }

  function update() {
    const { side, image, row, column, batch } = state;
    const values = batch ? images.data : digitAt(image);
    pixels = refilled(values, side, batch ? image : 0);
    made = enlarged(digitAt(image), FROM, side);
    source = origin(side, batch ? image : 0, row, column, FROM, batch ? count : 1);
    const label = labels.data[image], rest = source.place % FROM ** 2, number = Math.floor(source.place / FROM ** 2);
    title.textContent = `What np.resize gives, ${squared(side)}`;
    wantedText.textContent = `digit ${image}, a ${label}, interpolated to ${squared(side)}`;
    fromText.textContent = `digit ${own() + source.digit}, a ${labels.data[own() + source.digit]}: row ${source.row}, column ${source.column}`;
    const again = batch && number >= count ? ` (digit 0 follows digit ${count - 1})` : "";
    const place = source.place.toLocaleString("en");
    said(`Pixel (${row}, ${column}) is number ${place} in memory, all counted from 0. ${place} = ${number} · 784 + ${rest}, and ${rest} = ${source.row} · 28 + ${source.column}: ${fromText.textContent}${again}.`);
    filled.textContent = howFilled();
    held.textContent = whatItHolds();
    large.canvas.setAttribute("aria-label", `What np.resize gives: ${side} by ${side} pixels. Row ${row}, column ${column} is chosen; arrow keys move the choice.`);
    wanted.canvas.setAttribute("aria-label", `Digit ${image}, a ${label}, enlarged to ${side} by ${side} pixels.`);
    from.canvas.setAttribute("aria-label", `Where the chosen pixel comes from: ${fromText.textContent}.`);
    for (const { redraw } of [wanted, from, large]) redraw();
  }

  /** How the rows of the new image are filled. */
  function howFilled() {
    const { side } = state, shift = side % FROM, across = Math.floor(side / FROM);
    if (side === FROM) return "The shape stays the same, so nothing happens.";
    const rows = across === 1 ? "one row" : `${across} rows`;
    return shift === 0
      ? `Each row takes ${rows} of a digit, side by side.`
      : `Each row takes ${rows} of a digit and ${shift} pixel${shift === 1 ? "" : "s"} of the next. So the next row begins ${shift} further, and the digit leans.`;
  }

  /** Which digits, or parts of digits, the new image is made of. */
  function whatItHolds() {
    const { side, image, batch } = state, digits = side ** 2 / FROM ** 2;
    if (side === FROM) return "";
    if (!batch) {
      const times = Math.floor(digits);
      return `The image holds the digit ${times === 1 ? "once" : `${times} times`}${times === digits ? "" : ", and a part of it again"}.`;
    }
    const start = image * digits, end = (image + 1) * digits, first = Math.floor(start), last = Math.ceil(end) - 1;
    const whole = Math.floor(end) - Math.ceil(start), parts = last - first + 1 - whole;
    const others = ["", " and a part of another", " and parts of two others"][parts];
    const holds = whole === 0 ? `parts of ${parts} digits` : `${whole} digit${whole === 1 ? "" : "s"}${others}`;
    const among = Math.floor((last - image) / count) >= Math.ceil((first - image) / count);
    const label = `Its label is that of digit ${image}${among ? "" : ", which is not among them"}.`;
    return `The image holds ${holds}, ${first % count} to ${last % count}. ${label}`;
  }

  const choose = ({ x, y }) => {
    const at = (value) => clamp(Math.floor((value / LARGE) * state.side), 0, state.side - 1);
    Object.assign(state, { row: at(y), column: at(x) });
    update();
  };
  drags(large, LARGE, { start: choose, move: choose });
  keys(large.canvas, (dx, dy) => {
    const last = state.side - 1;
    Object.assign(state, { row: clamp(state.row + dy, 0, last), column: clamp(state.column + dx, 0, last) });
    update();
  });
  const sides = slider("New side", { min: FROM, max: 224, value: state.side, write: (side) => `${side} px` }, (side) => {
    Object.assign(state, { side, row: Math.min(state.row, side - 1), column: Math.min(state.column, side - 1) });
    update();
  });
  const gets = choice("np.resize gets", [[true, `a batch of ${count} digits`], [false, "one digit"]], true, (batch) => {
    state.batch = batch;
    update();
  });
  const next = button("Another digit", () => {
    state.image = (state.image + 1) % count;
    update();
  });

  const begin = Math.floor(options.side ** 2 / FROM ** 2 / 2) * FROM ** 2 + 8 * FROM + 12;  // in the middle, and in ink
  Object.assign(state, { row: Math.floor(begin / options.side) % options.side, column: begin % options.side });
  update();
  return element(
    "div",
    { class: "refill" },
    element("style", {}, STYLE),
    element(
      "div",
      { class: "parts" },
      element(
        "div",
        { class: "small", style: "grid-area: small" },
        element("div", {}, element("p", { class: "title" }, "What you wanted"), wanted.canvas, wantedText),
        element("div", {}, element("p", { class: "title" }, "The pixel's origin"), from.canvas, fromText),
      ),
      element("div", { style: "grid-area: large" }, title, filled, large.canvas),
      element("div", { class: "controls", style: "grid-area: controls" }, sides.element, gets.element, element("div", { class: "row" }, next)),
    ),
    held,
    said.element,
  );
}
