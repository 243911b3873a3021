// A stack of residual blocks: signals forward and gradients backward, with skips and without.
import { checkbox, element, slider, status, surface, written } from "./frame.js";

export const WIDTH = 4, HIDDEN = 8, BLOCKS = 20;
const FIRST_X = [1, -0.5, 1.5, 0.5];
const LIMIT = 2;  // of each number of x
const LOWEST = -18, HIGHEST = 15;  // powers of ten in the charts
const INDICES = "₁₂₃₄";

const STYLE = `
.live .readers-numbers { width: 100%; border-collapse: collapse; margin: 0.3rem 0 0.2rem; }
.readers-numbers th { font-weight: 400; color: var(--quiet); text-align: right; padding: 0 0 0.1rem 0.6rem; vertical-align: bottom; line-height: 1.25; }
.readers-numbers td { text-align: right; padding: 0 0 0 0.6rem; white-space: nowrap; }
.readers-numbers th:first-child, .readers-numbers td:first-child { width: 46%; text-align: left; padding-left: 0; }
.parts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(18rem, 100%), 1fr)); gap: 0.6rem 1.5rem; align-items: start; }
.parts > * { min-width: 0; }
.charts { grid-row: span 2; }
.charts canvas { width: 100% !important; }
.key { display: inline-flex; align-items: center; gap: 0.4rem; margin-right: 1rem; }
.key::before { content: ""; width: 1.6rem; border-top: 3px solid var(--blue); }
.key.without::before { border-top: 3px dashed var(--orange); }
.live .chart p { margin: 0 0 0.2rem; }
.live .chart { margin-bottom: 1rem; }
.live .controls > * { margin-bottom: 0.35rem; }
.live .controls .rule { margin: -0.3rem 0 0.8rem; line-height: 1.3; }
`;

/**
 * The weights of each block's F, where the slider is at 1: `first` (8 × 4) and `second` (4 × 8), row by row.
 *
 * They are uniform, as He's rule has it: `first` with the variance 2/4 for the ReLU behind it, `second` with 1/8, so that
 * F(x) is on average as large as x. They come from Lehmer's generator, so that they are the same everywhere.
 */
export function blockWeights() {
  // Four numbers are few: with many a seed, a block without its skip gives 0 for some x. Here none of 20,000 random x does.
  let seed = 1172;
  const next = () => {
    seed = (seed * 48271) % 2147483647;
    return (2 * seed) / 2147483647 - 1;
  };
  const uniform = (count, bound) => Array.from({ length: count }, () => bound * next());
  uniform(50, 1);  // its first numbers are small
  return Array.from({ length: BLOCKS }, () => ({ first: uniform(HIDDEN * WIDTH, Math.sqrt(1.5)), second: uniform(WIDTH * HIDDEN, Math.sqrt(0.375)) }));
}

const rows = (count, value) => Array.from({ length: count }, (_, row) => value(row));
const sumOver = (count, value) => rows(count, value).reduce((sum, one) => sum + one, 0);

/**
 * Through the stack and back. A block gives x + F(x), or F(x) without its skip, where F(x) = second · ReLU(first · x).
 *
 * Returns `{ signals, branches, gradients }`: x and the output of each block; F(x) of each block; and the gradient of the
 * last signal's sum with respect to each signal, so that `gradients[0]` is that for x.
 */
export function runStack(x, blocks, scale, skip) {
  const signals = [x], branches = [], open = [];
  for (const { first, second } of blocks) {
    const signal = signals.at(-1);
    const hidden = rows(HIDDEN, (row) => scale * sumOver(WIDTH, (at) => first[row * WIDTH + at] * signal[at]));
    const branch = rows(WIDTH, (row) => scale * sumOver(HIDDEN, (at) => second[row * HIDDEN + at] * Math.max(0, hidden[at])));
    open.push(hidden.map((value) => value > 0));
    branches.push(branch);
    signals.push(skip ? branch.map((value, at) => signal[at] + value) : branch);
  }
  const gradients = [Array(WIDTH).fill(1)];
  for (let block = blocks.length - 1; block >= 0; block -= 1) {
    const { first, second } = blocks[block], [later] = gradients;
    const hidden = rows(HIDDEN, (at) => (open[block][at] ? scale * sumOver(WIDTH, (row) => second[row * HIDDEN + at] * later[row]) : 0));
    const branch = rows(WIDTH, (at) => scale * sumOver(HIDDEN, (row) => first[row * WIDTH + at] * hidden[row]));
    gradients.unshift(skip ? branch.map((value, at) => later[at] + value) : branch);
  }
  return { signals, branches, gradients };
}

/** The root mean square of a vector. */
export const rms = (values) => Math.sqrt(sumOver(values.length, (at) => values[at] ** 2) / values.length);

const two = (value) => written(Math.abs(value) < 0.01 ? value : Number(value.toPrecision(3)), 3);

export default async function residualBlock({ options }) {
  const weights = blockWeights();
  const state = { x: [...FIRST_X], scale: options.weights, count: options.blocks, skip: options.skip };
  let on, off;  // the stack with skips, and without
  const shown = () => (state.skip ? on : off);

  const picture = surface(348, 172, "", drawBlock);
  const said = status(), note = element("p", { class: "quiet" });
  const charts = [
    chart("Size of the signal after each block", "at the end", ({ signals }) => signals),
    chart("Size of the gradient at each block", "at x", ({ gradients }) => gradients),
  ];

  function drawBlock(context, colours) {
    const { signals, branches } = shown(), middle = 108;
    context.textBaseline = "middle";
    context.lineWidth = 1.5;
    context.fillStyle = colours.wash;
    context.strokeStyle = colours.quiet;
    context.beginPath();
    context.roundRect(118, 34, 106, 134, 8);
    context.fill();
    context.stroke();
    arrow(context, colours.ink, [[92, middle], [116, middle]]);
    arrow(context, colours.ink, [[224, middle], [260, middle]]);
    const skip = [[46, 34], [46, 12], [242, 12], [242, middle - 9]];
    context.setLineDash(state.skip ? [] : [3, 5]);
    arrow(context, state.skip ? colours.blue : colours.line, skip, state.skip);
    context.setLineDash([]);
    context.textAlign = "center";
    const word = state.skip ? "skip" : "skip off", wide = context.measureText(word).width + 14;
    context.fillStyle = colours.paper;
    context.fillRect(144 - wide / 2, 2, wide, 20);
    context.fillStyle = state.skip ? colours.blue : colours.quiet;
    context.fillText(word, 144, 12);
    if (state.skip) {
      context.strokeStyle = colours.blue;
      context.fillStyle = colours.paper;
      context.beginPath();
      context.arc(242, middle, 9, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
      context.fillStyle = colours.blue;
      context.fillText("+", 242, middle);
    }
    column(context, colours, 0, "x", signals[0]);
    column(context, colours, 126, "F(x)", branches[0]);
    column(context, colours, 258, state.skip ? "x + F(x)" : "F(x)", signals[1]);
  }

  function arrow(context, colour, points, head = true) {
    context.strokeStyle = context.fillStyle = colour;
    context.lineWidth = 2;
    context.beginPath();
    for (const [x, y] of points) context.lineTo(x, y);
    context.stroke();
    if (!head) return;
    const [[fromX, fromY], [x, y]] = points.slice(-2), angle = Math.atan2(y - fromY, x - fromX);
    context.beginPath();
    for (const turn of [0, 2.6, -2.6]) context.lineTo(x + (turn ? 8 : 3) * Math.cos(angle + turn), y + (turn ? 8 : 3) * Math.sin(angle + turn));
    context.fill();
  }

  function column(context, colours, left, title, values) {
    context.fillStyle = colours.ink;
    context.textAlign = "center";
    context.fillText(title, left + 45, 46);
    const zero = left + 68, scale = 20 / (1.3 * LIMIT);
    values.forEach((value, at) => {
      const y = 68 + 27 * at, length = Math.min(20, Math.max(-20, value * scale));
      context.fillStyle = colours.wash;
      context.fillRect(zero - 20, y - 8, 40, 16);
      context.fillStyle = value < 0 ? colours.orange : colours.blue;
      context.fillRect(Math.min(zero, zero + length), y - 6, Math.abs(length), 12);
      context.fillStyle = colours.quiet;
      context.fillRect(zero - 0.5, y - 9, 1, 18);
      context.fillStyle = colours.ink;
      context.textAlign = "right";
      context.fillText(written(value, 2), left + 42, y);
    });
  }

  // Both stacks' sizes over depth. What matters is written at the curve's `end`: behind the last block, or at x.
  function chart(title, end, vectors) {
    const { canvas, redraw } = surface(340, 196, "", (context, colours) => {
      const left = 42, right = 332, top = 8, bottom = 158;
      const xAt = (block) => left + ((right - left) * block) / state.count;
      const yAt = (size) => bottom - ((bottom - top) * (Math.max(-99, Math.log10(size)) - LOWEST)) / (HIGHEST - LOWEST);
      context.font = '13px "Source Sans 3", system-ui, sans-serif';
      context.textBaseline = "middle";
      for (let power = LOWEST; power <= HIGHEST; power += 1) {
        if (power % 5) continue;
        context.fillStyle = power === 0 ? colours.quiet : colours.line;
        context.fillRect(left, yAt(10 ** power) - 0.5, right - left, 1);
        context.fillStyle = colours.quiet;
        context.textAlign = "right";
        context.fillText(power === 0 ? "1" : written(10 ** power, 0).replace("1·", ""), left - 6, yAt(10 ** power));
      }
      context.textAlign = "center";
      const every = state.count > 10 ? 5 : state.count > 5 ? 2 : 1;
      for (let block = 0; block <= state.count; block += every) context.fillText(String(block), xAt(block), bottom + 12);
      context.fillText("block (0 is x itself)", (left + right) / 2, bottom + 29);
      context.beginPath();
      context.rect(0, 0, 340, bottom);  // what is too small for the chart leaves it
      context.clip();
      const curves = [[off, colours.orange, [7, 5], !state.skip, 12], [on, colours.blue, [], state.skip, -11]];
      for (const [stack, colour, dash, chosen] of curves) {
        context.strokeStyle = colour;
        context.lineWidth = chosen ? 3.5 : 2;
        context.setLineDash(dash);
        context.beginPath();
        vectors(stack).forEach((vector, block) => context.lineTo(xAt(block), yAt(rms(vector))));
        context.stroke();
      }
      context.setLineDash([]);
      context.lineWidth = 6;
      context.lineJoin = "round";
      context.strokeStyle = colours.paper;  // round each number
      context.textAlign = end === "at x" ? "left" : "right";
      for (const [stack, colour, , , above] of curves) {
        const block = end === "at x" ? 0 : state.count, size = rms(vectors(stack)[block]);
        const text = [two(size), xAt(block) + (block ? 0 : 10), Math.min(bottom - 9, yAt(size) + above)];
        context.strokeText(...text);
        context.fillStyle = colour;
        context.fillText(...text);
      }
    });
    const update = () => {
      const [withSkip, without] = [on, off].map((stack) => two(rms(vectors(stack).at(end === "at x" ? 0 : -1))));
      canvas.setAttribute("aria-label", `${title}, on a logarithmic scale. With the skip it is ${withSkip} ${end}, without it ${without}.`);
      redraw();
    };
    const legend = element("p", { class: "quiet" }, element("span", { class: "key" }, "with skip"), element("span", { class: "key without" }, "without"));
    return { element: element("div", { class: "chart" }, element("p", { class: "title" }, title), legend, canvas), update };
  }

  const cells = rows(WIDTH, () => [element("td"), element("td")]);
  const after = element("th", { scope: "col" });
  const sliders = state.x.map((value, at) => slider(`x${INDICES[at]}`, { min: -LIMIT, max: LIMIT, step: 0.1, value, write: (one) => written(one, 1) }, (one) => {
    state.x[at] = one;
    update();
  }));
  const table = element(
    "table",
    { class: "readers-numbers" },
    element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "x"), after, element("th", { scope: "col" }, "gradient at\u00a0x"))),
    element("tbody", {}, cells.map((pair, at) => element("tr", {}, element("td", {}, sliders[at].element), pair))),
  );

  function update() {
    const blocks = weights.slice(0, state.count);
    [on, off] = [true, false].map((skip) => runStack(state.x, blocks, state.scale, skip));
    const { signals, gradients } = shown(), many = `${state.count} ${state.count === 1 ? "block" : "blocks"}`;
    after.textContent = `after ${many}`;
    cells.forEach(([output, gradient], at) => {
      output.textContent = two(signals.at(-1)[at]);
      gradient.textContent = two(gradients[0][at]);
    });
    note.textContent = state.skip ? "With the skip, the gradient at x is the product of all (1 + F′)." : "Without the skip, the gradient at x is the product of all F′.";
    picture.canvas.setAttribute("aria-label", `The first block. x is ${list(signals[0])}. F of x is ${list(shown().branches[0])}. The block gives ${list(signals[1])}${state.skip ? ", their sum" : ": the skip is off"}.`);
    charts.forEach((one) => one.update());
    said(verdict(many));
    picture.redraw();
  }
  const list = (values) => values.map((value) => written(value, 2)).join(", ");

  function verdict(many) {
    if (state.x.every((value) => value === 0)) return "x is all zeros, so each F(x) is 0, too: move a slider of x.";
    const now = state.skip ? "The skip is on: each block gives x + F(x)." : "The skip is off: each block gives F(x) alone.";
    if (state.scale === 0) return `${now} F is 0. With the skip, ${many} pass x on unchanged, and the gradient is exactly 1. Without it, nothing is left of either.`;
    const [kept, lost] = [on, off].map(({ gradients }) => rms(gradients[0]));
    const start = `${now} Through ${many}, the gradient at x has size ${two(kept)} with the skip and ${two(lost)} without it.`;
    if (lost < 1e-3 && kept > 0.1) return `${start} Without the skip, a step of SGD would hardly change the first block.`;
    if (lost > 1e3 && kept > 1e3) return `${start} With weights this large, the skip does not help: everything grows.`;
    return start;
  }

  const switched = checkbox("Skip: add x to F(x)", state.skip, (value) => {
    state.skip = value;
    update();
  });
  const scale = slider("Size of F's weights", { min: 0, max: 2, step: 0.05, value: state.scale, write: (value) => `${written(value, 2)} × He's rule` }, (value) => {
    state.scale = value;
    update();
  });
  const count = slider("Blocks", { min: 1, max: BLOCKS, value: state.count }, (value) => {
    state.count = value;
    update();
  });

  update();
  return element(
    "div",
    {},
    element("style", {}, STYLE),
    element(
      "div",
      { class: "parts" },
      element("div", {}, element("p", { class: "title" }, "The first block"), picture.canvas, element("div", { class: "controls" }, switched.element, scale.element, element("p", { class: "quiet rule" }, "At 1, F(x) is on average as large as x (He et al., 2015)."), count.element)),
      element("div", { class: "charts" }, charts.map((one) => one.element), said.element),
      element("div", {}, table, note),
    ),
    element("p", { class: "quiet" }, "F is linear, ReLU, linear, with its own fixed weights in each block; there is no ReLU after the sum. The gradient is that of the sum of the last four numbers. Size is the root mean square of the four numbers."),
  );
}
