// Drag or draw a digit, and watch the perceptron and LeNet-5 read it.
import { centred, drawn, fitted, isEmpty, moved } from "./digits.js";
import { button, checkbox, choice, drags, drawPixels, element, keys, mixed, status, surface } from "./frame.js";
import { SIDE, lenet5, perceptron } from "./networks.js";
import { largest, readTensors, softmax } from "./tensors.js";

const SCALE = 10;  // units of the large picture a pixel
const FARTHEST = 14;  // pixels that a digit can be moved
const STYLE = `
.readers { display: grid; grid-template-columns: repeat(auto-fit, minmax(7.2rem, 1fr)); gap: 0.6rem 1rem; align-content: start; position: relative; }
.reads { display: flex; gap: 0.6rem; align-items: baseline; min-height: 1.9rem; margin: 0 !important; }
.reads strong { font-size: 1.6rem; line-height: 1.1; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.live .below { margin-top: 0.8rem; }
.live .centred { margin: 0.2rem 0 0; line-height: 1.3; }
.live .where { margin: 0.4rem 0 0; }
.live .notes { margin: 0.1rem 0 0.6rem; max-width: 17.5rem; line-height: 1.35; }
.seen { flex-wrap: nowrap !important; }
`;

export default async function dragADigit({ load, options }) {
  const [wide, small, digits] = await Promise.all(
    ["perceptron.safetensors", "lenet-5.safetensors", "test-digits.safetensors.gz"].map(async (file) => readTensors(await load(file))),
  );
  const count = digits.labels.shape[0];
  const state = { mode: "drag", digit: options.digit, right: options.right, down: options.down, strokes: [], centre: false, pen: { x: 14, y: 8, down: false } };

  const picture = () => {
    if (state.mode === "draw") return drawn(state.strokes);
    const own = digits.images.data.subarray(state.digit * SIDE * SIDE, (state.digit + 1) * SIDE * SIDE);
    return moved(own, state.right, state.down);
  };
  const seen = () => {
    if (!state.centre) return picture();
    return centred(state.mode === "draw" ? drawn(fitted(state.strokes)) : picture());
  };

  const large = surface(SIDE * SCALE, SIDE * SCALE, "", drawLarge, { tabindex: 0, role: "application" });
  const inset = surface(84, 84, "What the networks see: 28 by 28 pixels.", (context, colours) => {
    drawPixels(context, seen(), [SIDE, SIDE], [0, 0, 84, 84], (value) => mixed(colours.paper, colours.ink, value / 255));
    frameLine(context, colours, [0, 0, 84, 84]);
  });
  const readers = [reader("Perceptron", (pixels) => perceptron(wide, pixels)), reader("LeNet-5", (pixels) => lenet5(small, pixels).logits)];
  const maps = surface(300, 150, "LeNet-5's feature maps: six of 28 by 28 pixels, then sixteen of 10 by 10.", drawMaps);
  const said = status(), where = element("p", { class: "where" }), hint = element("span");

  function drawLarge(context, colours) {
    const side = SIDE * SCALE;
    drawPixels(context, picture(), [SIDE, SIDE], [0, 0, side, side], (value) => mixed(colours.paper, colours.ink, value / 255));
    context.strokeStyle = colours.line;
    context.lineWidth = 1;
    context.setLineDash([4, 4]);
    context.strokeRect(4 * SCALE, 4 * SCALE, 20 * SCALE, 20 * SCALE);  // where MNIST's digits are
    context.setLineDash([]);
    frameLine(context, colours, [0, 0, side, side]);
    if (state.mode === "draw" && large.canvas.matches(":focus-visible")) {
      context.strokeStyle = state.pen.down ? colours.orange : colours.blue;
      context.lineWidth = 2;
      context.beginPath();
      context.arc(state.pen.x * SCALE, state.pen.y * SCALE, 12, 0, 2 * Math.PI);
      context.stroke();
    }
  }

  function drawMaps(context, colours) {
    const pixels = seen();
    if (isEmpty(pixels)) return;
    const [first, second] = lenet5(small, pixels).maps;
    const rows = [{ maps: first, size: 44, gap: 6.6, across: 6, y: 16 }, { maps: second, size: 33, gap: 5, across: 8, y: 80 }];
    for (const { maps: { shape: [total, side], data }, size, gap, across, y } of rows) {
      const most = Math.max(...data, 1e-6);
      for (let map = 0; map < total; map += 1) {
        const x = (map % across) * (size + gap), below = y + Math.floor(map / across) * (size + 2);
        const values = data.subarray(map * side * side, (map + 1) * side * side);
        drawPixels(context, values, [side, side], [x, below, size, size], (value) => mixed(colours.wash, colours.blue, value / most));
      }
    }
    context.fillStyle = colours.quiet;
    context.fillText("after the first convolution", 0, 12);
    context.fillText("after the second", 0, 76);
  }

  function reader(name, logits) {
    const verdict = element("strong", {}), surely = element("span", { class: "quiet" });
    let probabilities = null;
    const bars = surface(148, 84, "", (context, colours) => {
      for (let digit = 0; digit < 10; digit += 1) {
        const chance = probabilities?.[digit] ?? 0, best = probabilities && digit === largest(probabilities);
        context.fillStyle = colours.wash;
        context.fillRect(15 * digit, 2, 13, 62);
        context.fillStyle = best ? colours.blue : colours.quiet;
        context.fillRect(15 * digit, 64 - 62 * chance, 13, 62 * chance);
        context.fillStyle = best ? colours.ink : colours.quiet;
        context.textAlign = "center";
        context.fillText(digit, 15 * digit + 6.5, 80);
      }
      context.textAlign = "left";
    });
    const read = (pixels, label) => {
      probabilities = isEmpty(pixels) ? null : softmax(logits(pixels));
      bars.redraw();
      if (!probabilities) {
        verdict.textContent = surely.textContent = "";
        return `${name} has nothing to read`;
      }
      const digit = largest(probabilities), sure = `${(100 * probabilities[digit]).toFixed(0)} %`;
      const right = label === null ? "" : digit === label ? " ✓" : " ✗";
      verdict.textContent = `${digit}${right}`;
      surely.textContent = sure;
      verdict.style.color = label === null ? "inherit" : digit === label ? "var(--green)" : "var(--red)";
      bars.canvas.setAttribute("aria-label", `${name}: ${probabilities.map((chance, at) => `${at}: ${(100 * chance).toFixed(0)} %`).join(", ")}`);
      return `${name} reads ${digit} (${sure} sure)`;
    };
    const heading = element("p", { class: "reads" }, verdict, surely);
    return { element: element("div", {}, element("p", { class: "title" }, name), heading, bars.canvas), read };
  }

  function update() {
    const pixels = seen();
    const label = state.mode === "drag" ? digits.labels.data[state.digit] : null;
    const empty = isEmpty(pixels);
    const lines = readers.map(({ read }) => read(pixels, label));
    said(`${lines.join(". ")}.`);
    if (state.mode === "drag") where.textContent = `A ${label}, ${way()}`;
    else where.textContent = empty ? "Draw a digit here: there is nothing to read yet." : "Your drawing";
    const how = state.mode === "drag" ? `A ${label}. Arrow keys move it by a pixel.` : "Your drawing. Arrow keys move the pen, the space bar sets it down and lifts it.";
    large.canvas.setAttribute("aria-label", how);
    hint.textContent = state.mode === "drag" ? "Arrow keys move the digit, too." : "Arrow keys move the pen, the space bar sets it down.";
    for (const { redraw } of [large, inset, maps]) redraw();
  }

  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  let from = null;
  drags(large, SIDE * SCALE, {
    start(point) {
      from = { ...point, right: state.right, down: state.down };
      if (state.mode === "draw") state.strokes.push([{ x: point.x / SCALE, y: point.y / SCALE }]);
      update();
    },
    move(point) {
      if (state.mode === "draw") {
        state.strokes.at(-1)?.push({ x: clamp(point.x / SCALE, 0, SIDE), y: clamp(point.y / SCALE, 0, SIDE) });
      } else {
        state.right = clamp(from.right + Math.round((point.x - from.x) / SCALE), -FARTHEST, FARTHEST);
        state.down = clamp(from.down + Math.round((point.y - from.y) / SCALE), -FARTHEST, FARTHEST);
      }
      soon();
    },
  });
  let waiting = false;
  function soon() {  // a fast stroke has more points than the screen has frames
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      update();
    });
  }
  keys(
    large.canvas,
    (dx, dy) => {
      if (state.mode === "drag") {
        state.right = clamp(state.right + dx, -FARTHEST, FARTHEST);
        state.down = clamp(state.down + dy, -FARTHEST, FARTHEST);
      } else {
        state.pen.x = clamp(state.pen.x + dx, 0, SIDE);
        state.pen.y = clamp(state.pen.y + dy, 0, SIDE);
        if (state.pen.down) state.strokes.at(-1).push({ x: state.pen.x, y: state.pen.y });
      }
      update();
    },
    {
      " "() {
        if (state.mode !== "draw") return;
        state.pen.down = !state.pen.down;
        if (state.pen.down) state.strokes.push([{ x: state.pen.x, y: state.pen.y }]);
        update();
      },
    },
  );
  for (const name of ["focus", "blur"]) large.canvas.addEventListener(name, large.redraw);

  const put = (changes) => {
    Object.assign(state, changes);
    state.pen.down = false;
    modes.set(state.mode);
    again.textContent = state.mode === "draw" ? "Clear" : "Put it back";
    update();
  };
  const modes = choice("Mouse or finger", [["drag", "Move the digit"], ["draw", "Draw"]], "drag", (mode) => put({ mode }));
  const another = button("Another digit", () => put({ mode: "drag", digit: (state.digit + 1) % count, right: 0, down: 0 }));
  const again = button("Put it back", () => put(state.mode === "draw" ? { strokes: [] } : { right: 0, down: 0 }));
  const centre = checkbox("Centre it first, as MNIST's makers did", false, (on) => put({ centre: on }));

  update();
  return element(
    "div",
    {},
    element("style", {}, STYLE),
    element(
      "div",
      { class: "columns" },
      element("div", { style: "flex-basis: 17.5rem" }, large.canvas, where, element("p", { class: "quiet notes" }, "The dashed square is where MNIST puts its digits. ", hint), modes.element, element("div", { class: "row below" }, another, again)),
      element(
        "div",
        {},
        element("div", { class: "readers" }, readers[0].element, readers[1].element, element("div", { class: "hidden" }, said.element)),
        element("p", { class: "title below" }, "LeNet-5's feature maps"),
        maps.canvas,
        element("div", { class: "row below seen" }, inset.canvas, element("div", {}, element("p", { class: "title" }, "What the networks see"), centre.element, element("p", { class: "quiet centred" }, "The networks then see it centred. Your digit stays where it is."))),
      ),
    ),
  );

  function way() {
    const parts = [[state.right, "right", "left"], [state.down, "down", "up"]].filter(([pixels]) => pixels !== 0);
    if (parts.length === 0) return "where MNIST has it";
    return `moved ${parts.map(([pixels, more, less]) => `${Math.abs(pixels)} px ${pixels > 0 ? more : less}`).join(" and ")}`;
  }

  function frameLine(context, colours, [x, y, width, height]) {
    context.strokeStyle = colours.line;
    context.lineWidth = 1;
    context.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
  }
}
