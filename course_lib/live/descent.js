// Gradient descent, momentum and Adam on the loss of a straight line, which has two weights.
import { button, choice, drags, element, keys, mixed, slider, status, still, surface } from "./frame.js";
import { bowl, descend } from "./line-fit.js";

const LOW = -1, SPAN = 4;  // the weights that the map shows, each from -1 to 3
const MAP = { x: 42, y: 6, side: 262 };  // on a surface of 310 × 306
const LEVELS = [30, 10, 3, 1, 0.3, 0.1];  // losses with a contour
const MOST = 1000;  // steps
const PRESET_STEPS = 40;  // enough for momentum to overtake gradient descent
const METHODS = [["sgd", "gradient descent"], ["momentum", "momentum 0.9"], ["adam", "Adam"]];
const PRESETS = {  // too small, good, too large
  sgd: [0.01, 0.15, 0.2],
  momentum: [0.001, 0.03, 0.4],
  adam: [0.01, 0.5, 5],
};
const STYLE = `
.live .rule { padding: 0.5rem 0.8rem; border-radius: 6px; background: var(--wash); }
.live .rule p { margin: 0.15rem 0; }
.live .below { margin-top: 0.7rem; }
.live .outcome { min-height: 5.8em; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.holds { position: relative; }
`;

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** A number for reading: some decimals, a true minus, and powers of ten where it is very large or small. */
export function written(value, digits = 3) {
  const size = Math.abs(value);
  let text = size.toFixed(digits);
  if (size >= 1e5 || (size > 0 && size < 0.5 * 10 ** -digits)) {
    const [front, power] = size.toExponential(1).split("e");
    text = `${front} · 10${[...String(Number(power))].map((sign) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign] ?? "⁻").join("")}`;
  }
  return value < 0 && Number(size.toPrecision(12)) !== 0 ? `−${text}` : text;
}

/** Three digits, for losses. */
export const brief = (value) => (value >= 1e5 ? written(value) : String(Number(value.toPrecision(value >= 100 ? 4 : 3))));

export default async function descent({ options }) {
  const { points } = options, { weights: lowest, loss: least, steep, flat } = bowl(points);
  const limits = { sgd: 2 / steep.curvature, momentum: 3.8 / steep.curvature, adam: Infinity };
  const state = { start: options.start, method: options.method, rate: options.rate, steps: options.steps };
  let path = [], timer = null;

  const toX = (w) => MAP.x + ((w - LOW) / SPAN) * MAP.side, toY = (w) => MAP.y + (1 - (w - LOW) / SPAN) * MAP.side;
  const map = surface(310, 306, "", drawMap, { tabindex: 0, role: "application" });
  const chart = surface(310, 190, "", drawLosses);
  const line = surface(310, 190, "", drawLine);
  const outcome = element("p", { class: "outcome" }), limit = element("p", { class: "quiet" }), rule = element("div", { class: "rule" }), said = status();

  function frame(context, colours, [x, y, width, height]) {
    context.strokeStyle = colours.quiet;
    context.lineWidth = 1;
    context.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
  }

  function text(context, words, x, y, align = "left", colour = null) {
    if (colour) context.fillStyle = colour;
    context.textAlign = align;
    context.fillText(words, x, y);
  }

  function sideways(context, words, x, y) {
    context.save();
    context.translate(x, y);
    context.rotate(-Math.PI / 2);
    text(context, words, 0, 0, "center");
    context.restore();
  }

  function drawMap(context, colours) {
    const { x, y, side } = MAP, unit = side / SPAN, middle = [toX(lowest[0]), toY(lowest[1])];
    const radius = (level, { curvature }) => unit * Math.sqrt((2 * (level - least)) / curvature);
    const shade = (share) => `rgb(${mixed(colours.paper, colours.blue, share)})`;
    context.save();
    context.beginPath();
    context.rect(x, y, side, side);
    context.clip();
    context.fillStyle = shade(0.5);
    context.fillRect(x, y, side, side);
    context.strokeStyle = colours.paper;
    LEVELS.forEach((level, place) => {
      context.beginPath();
      const turn = Math.atan2(-flat.direction[1], flat.direction[0]);
      context.ellipse(...middle, radius(level, flat), radius(level, steep), turn, 0, 2 * Math.PI);
      context.fillStyle = shade(0.5 - (0.5 * (place + 1)) / LEVELS.length);
      context.fill();
      context.stroke();
    });
    for (const level of LEVELS) {  // its loss stands on the contour: on the way down the valley, or beside it
      const angle = level < 0.5 ? Math.PI / 6 : -Math.PI / 2;
      const along = Math.cos(angle) * radius(level, flat), across = Math.sin(angle) * radius(level, steep);
      const [right, up] = [0, 1].map((i) => along * flat.direction[i] + across * steep.direction[i]);
      const label = [middle[0] + right, middle[1] - up + 5], covers = startLabel();
      if (Math.abs(label[0] - covers[0]) < 28 && Math.abs(label[1] - covers[1]) < 15) continue;
      text(context, String(level), ...label, "center", colours.ink);
    }
    drawPath(context, colours, middle);
    context.restore();
    frame(context, colours, [x, y, side, side]);
    context.fillStyle = colours.quiet;
    for (let tick = 0; tick <= SPAN; tick += 1) {
      text(context, written(LOW + tick, 0), toX(LOW + tick), y + side + 16, "center");
      text(context, written(LOW + tick, 0), x - 6, toY(LOW + tick) + 5, "right");
    }
    text(context, "w₁, the line's slope", x + side / 2, y + side + 34, "center");
    sideways(context, "w₂, its height at x = 0", 13, y + side / 2);
  }

  /** Where the word "start" stands: below its circle, or above it near the lower edge. */
  function startLabel() {
    const { x, y, side } = MAP, left = toX(path[0].weights[0]), top = toY(path[0].weights[1]);
    return [clamp(left, x + 18, x + side - 18), top + (top < y + side - 30 ? 24 : -14)];
  }

  function drawPath(context, colours, middle) {
    const places = path.map(({ weights: [a, b] }) => [clamp(toX(a), -1e4, 1e4), clamp(toY(b), -1e4, 1e4)]);
    const dot = ([x, y], radius) => {
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
    };
    // Steps from one place off the map to another only cross it: thin, or a hundred of them would be a solid block.
    const { x, y, side } = MAP, seen = ([left, top]) => left >= x && left <= x + side && top >= y && top <= y + side;
    const steps = places.slice(1).map((place, i) => [places[i], place]), crosses = (ends) => !ends.some(seen);
    const stroked = (some, style, width) => {
      context.strokeStyle = style;
      context.lineWidth = width;
      context.lineCap = "round";
      context.beginPath();
      for (const [from, to] of some) {
        context.moveTo(...from);
        context.lineTo(...to);
      }
      context.stroke();
    };
    context.globalAlpha = 0.5;
    stroked(steps.filter(crosses), colours.orange, 0.6);
    context.globalAlpha = 1;
    stroked(steps.filter((ends) => !crosses(ends)), colours.paper, 4.5);
    stroked(steps.filter((ends) => !crosses(ends)), colours.orange, 2);
    context.lineCap = "butt";
    context.fillStyle = colours.orange;
    for (const place of places) {
      dot(place, 2.6);
      context.fill();
    }
    context.strokeStyle = colours.green;  // the lowest point
    context.lineWidth = 2.5;
    context.beginPath();
    for (const [dx, dy] of [[7, 0], [0, 7]]) {
      context.moveTo(middle[0] - dx, middle[1] - dy);
      context.lineTo(middle[0] + dx, middle[1] + dy);
    }
    context.stroke();
    dot(places[0], 8);
    context.fillStyle = colours.paper;
    context.fill();
    context.strokeStyle = colours.ink;
    context.stroke();
    context.textAlign = "center";
    context.strokeStyle = colours.paper;
    context.lineWidth = 3;
    context.strokeText("start", ...startLabel());
    text(context, "start", ...startLabel(), "center", colours.ink);
    if (path.length > 1) {
      dot(places.at(-1), 5.5);
      context.fillStyle = colours.orange;
      context.fill();
      context.strokeStyle = colours.paper;
      context.lineWidth = 1.5;
      context.stroke();
    }
  }

  function drawLosses(context, colours) {
    const [x, y, width, height] = [48, 24, 254, 126];
    const most = Math.max(...path.map((step) => step.loss), 10);
    const low = Math.floor(Math.log10(least)), high = Math.ceil(Math.log10(most));
    const across = Math.max(20, path.length - 1);
    const at = (value) => y + height * (1 - (Math.log10(value) - low) / (high - low));
    context.fillStyle = colours.ink;
    text(context, "Loss by step", 0, 14);
    text(context, `dashed: smallest possible, ${brief(least)}`, x + width, 14, "right", colours.green);
    context.lineWidth = 1;
    for (let power = low; power <= high; power += Math.ceil((high - low) / 5)) {
      context.strokeStyle = colours.line;
      context.beginPath();
      context.moveTo(x, at(10 ** power));
      context.lineTo(x + width, at(10 ** power));
      context.stroke();
      const label = power < 5 ? String(Number((10 ** power).toPrecision(1))) : written(10 ** power).replace("1.0 · ", "");
      text(context, label, x - 6, at(10 ** power) + 5, "right", colours.quiet);
    }
    frame(context, colours, [x, y, width, height]);
    context.setLineDash([5, 4]);
    context.strokeStyle = colours.green;
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(x, at(least));
    context.lineTo(x + width, at(least));
    context.stroke();
    context.setLineDash([]);
    context.strokeStyle = context.fillStyle = colours.orange;
    context.beginPath();
    path.forEach(({ loss }, step) => context.lineTo(x + (width * step) / across, at(loss)));
    context.stroke();
    path.forEach(({ loss }, step) => {
      context.beginPath();
      context.arc(x + (width * step) / across, at(loss), path.length > 60 ? 1 : 2.6, 0, 2 * Math.PI);
      context.fill();
    });
    for (const [part, align] of [[0, "left"], [0.5, "center"], [1, "right"]]) {
      text(context, String(Math.round(part * across)), x + part * width, y + height + 16, align, colours.quiet);
    }
    text(context, "steps", x + width / 2, y + height + 34, "center");
  }

  function drawLine(context, colours) {
    const [x, y, width, height] = [48, 24, 254, 126];
    const toRight = (value) => x + (width * value) / 3.2, toTop = (value) => y + height * (1 - value / 4);
    context.fillStyle = colours.ink;
    text(context, `The line after ${path.length - 1} steps (dashed: the best one)`, 0, 14);
    frame(context, colours, [x, y, width, height]);
    context.save();
    context.beginPath();
    context.rect(x, y, width, height);
    context.clip();
    const draw = ([slope, edge], colour, dash) => {
      const end = clamp(slope * 3.2 + edge, -1e4, 1e4);
      context.strokeStyle = colour;
      context.lineWidth = 2;
      context.setLineDash(dash);
      context.beginPath();
      context.moveTo(x, toTop(clamp(edge, -1e4, 1e4)));
      context.lineTo(x + width, toTop(end));
      context.stroke();
    };
    draw(lowest, colours.green, [5, 4]);
    draw(path.at(-1).weights, colours.orange, []);
    context.setLineDash([]);
    context.fillStyle = colours.ink;
    for (const [a, b] of points) {
      context.beginPath();
      context.arc(toRight(a), toTop(b), 4, 0, 2 * Math.PI);
      context.fill();
    }
    context.restore();
    const [slope, edge] = path.at(-1).weights, lowEnd = Math.min(edge, slope * 3.2 + edge), highEnd = Math.max(edge, slope * 3.2 + edge);
    if (lowEnd > 4) text(context, "↑ the line lies above this chart", x + 6, y + 17, "left", colours.orange);
    if (highEnd < 0) text(context, "↓ the line lies below this chart", x + 6, y + height - 8, "left", colours.orange);
    context.fillStyle = colours.quiet;
    for (let tick = 0; tick <= 3; tick += 1) text(context, String(tick), toRight(tick), y + height + 16, "center");
    for (let tick = 0; tick <= 4; tick += 2) text(context, String(tick), x - 6, toTop(tick) + 5, "right");
    text(context, "x", x + width / 2, y + height + 34, "center");
    sideways(context, "y", 14, y + height / 2);
  }

  /** What happened, in words. */
  function words() {
    const { method, rate } = state, steps = path.length - 1, { loss } = path.at(-1);
    if (steps === 0) return `At the start the loss is ${brief(loss)}. The smallest possible loss is ${brief(least)}.`;
    const after = `After ${steps} step${steps === 1 ? "" : "s"} the loss is ${brief(loss)}.`;
    if (rate > limits[method]) {
      const bound = method === "sgd" ? "2/λ" : "3.8/λ", grows = loss > path[0].loss ? "The loss grows" : "The loss will grow";
      const stopped = steps < state.steps ? " We stopped there." : "";
      return `${after}${stopped} ${grows}: the rate is above ${bound}\u00a0=\u00a0${limits[method].toFixed(3)}, so the swings across the valley get wider.`;
    }
    if (loss < 1.05 * least) return `${after} That is the smallest possible loss, ${brief(least)}, or within 5\u00a0% of it.`;
    if (method === "momentum") return `${after} Steps add up along the valley, and the path swings past the lowest point before it settles.`;
    if (method === "adam") return `${after} While gradients agree, Adam moves each weight by about the learning rate in a step, whether its loss is steep or flat.`;
    const along = `${(100 * rate * flat.curvature).toPrecision(2)}\u00a0%`;
    if (rate > 1 / steep.curvature) return `${after} Each step jumps across the valley, and moves along it by only ${along} of the way that is left.`;
    return `${after} No step jumps across the valley, but along it each step goes only ${along} of the way that is left.`;
  }

  /** The rates at which the chosen method settles; Adam has no such limit. */
  function settles() {
    const curved = `The loss is steepest across the valley: its curvature (second derivative) is λ\u00a0=\u00a0${steep.curvature.toFixed(2)} there.`;
    if (state.method === "adam") return curved;
    const [name, bound] = { sgd: ["Gradient descent", "2/λ"], momentum: ["Momentum 0.9", "3.8/λ"] }[state.method];
    return `${curved} ${name} settles at rates below ${bound}\u00a0=\u00a0${limits[state.method].toFixed(3)}.`;
  }

  /** The last step's arithmetic, or the first one's before it is taken. */
  function arithmetic() {
    const steps = path.length - 1;
    const [before, { weights, how }] = (steps ? path : descend(points, state.start, state.method, state.rate, 1)).slice(-2);
    const signed = (value) => (value < 0 ? `(${written(value)})` : written(value));
    const lines = before.weights.map((w, i) => {
      const name = "₁₂"[i], g = before.gradient[i], result = `= ${written(weights[i])}`;
      const step = `w${name} ← ${written(w)} − ${state.rate} · `;
      if (state.method === "sgd") return [`${step}${signed(g)} ${result}`];
      if (state.method === "momentum") {
        return [`v${name} ← 0.9 · ${signed(how.before[i])} + ${signed(g)} = ${written(how.v[i])}`, `${step}${signed(how.v[i])} ${result}`];
      }
      return [`${step}${signed(how.mean[i])} / ${written(how.root[i])} ${result}`];
    });
    const notes = {
      sgd: "weight − rate · gradient",
      momentum: "v ← 0.9 · v + gradient, then weight − rate · v",
      adam: "weight − rate · running mean of the gradient / root of the running mean of its square",
    };
    const title = steps ? `Step ${steps}` : "The first step, not taken yet";
    return [element("p", { class: "title" }, title), element("p", { class: "quiet" }, `${notes[state.method]} (rounded)`), ...lines.flat().map((words) => element("p", {}, words))];
  }

  let announced = null;
  function update() {
    path = descend(points, state.start, state.method, state.rate, state.steps);
    const happened = words(), [a, b] = state.start.map((value) => written(value, 1));
    outcome.textContent = happened;
    limit.textContent = settles();
    rule.replaceChildren(...arithmetic());
    map.canvas.setAttribute("aria-label", `Map of the loss. The path starts at w₁ = ${a}, w₂ = ${b}. Arrow keys move the start.`);
    chart.canvas.setAttribute("aria-label", `Loss by step, from ${brief(path[0].loss)} to ${brief(path.at(-1).loss)}.`);
    line.canvas.setAttribute("aria-label", `Five points, and the line with slope ${written(path.at(-1).weights[0])} and height ${written(path.at(-1).weights[1])} at x = 0.`);
    for (const { redraw } of [map, chart, line]) redraw();
    clearTimeout(announced);
    announced = setTimeout(() => said(happened), 400);  // once a drag or a run of steps has come to rest
  }

  const halt = () => clearInterval(timer);
  const put = (changes) => {
    halt();
    Object.assign(state, changes);
    update();
  };
  const more = (count) => {
    halt();
    const end = Math.min(MOST, path.length - 1 + count);
    if (still.matches || count === 1) return put({ steps: end });
    timer = setInterval(() => {
      state.steps = Math.min(end, path.length);
      update();
      if (state.steps >= end || path.length <= state.steps) halt();
    }, 60);
  };

  const place = ({ x, y }) => {
    moveTo([LOW + ((x - MAP.x) / MAP.side) * SPAN, LOW + (1 - (y - MAP.y) / MAP.side) * SPAN]);
  };
  const moveTo = (weights) => put({ start: weights.map((w) => Math.round(20 * clamp(w, LOW, LOW + SPAN)) / 20) });
  drags(map, 310, { start: place, move: place });
  keys(map.canvas, (dx, dy) => moveTo([state.start[0] + dx / 10, state.start[1] - dy / 10]));

  const methods = choice("Method", METHODS, state.method, (method) => put({ method }));
  const rates = slider(
    "Learning rate",
    { min: -3, max: 1, step: 0.01, value: Math.log10(state.rate), write: (power) => String(fromPower(power)) },
    (power) => put({ rate: fromPower(power) }),
  );
  const preset = (which, name) => button(name, () => {
    const rate = PRESETS[state.method][which];
    rates.set(Math.log10(rate));
    put({ rate, steps: PRESET_STEPS });
  });

  update();
  said(outcome.textContent);
  return element(
    "div",
    {},
    element("style", {}, STYLE),
    element(
      "div",
      { class: "columns" },
      element(
        "div",
        {},
        map.canvas,
        element("p", { class: "quiet" }, "Contours join weights with the same loss. Drag the start, or move it with the arrow keys."),
        limit,
      ),
      element(
        "div",
        { class: "holds" },
        methods.element,
        element("div", { class: "below" }, rates.element),
        element("div", { class: "row", role: "group", "aria-label": "Learning rate" }, preset(0, "too small"), preset(1, "good"), preset(2, "too large")),
        element("div", { class: "row below" }, button("One step", () => more(1)), button("20 steps", () => more(20)), button("Start again", () => put({ steps: 0 }))),
        outcome,
        element("div", { class: "hidden" }, said.element),
      ),
    ),
    element("div", { class: "columns below" }, chart.canvas, line.canvas),
    element("div", { class: "below" }, rule),
  );
}

/** Rates have two digits: the one that is shown is the one that is used. */
function fromPower(power) {
  return Number((10 ** power).toPrecision(2));
}
