// Train chapter 1's perceptron in the reader's own page, or break its training with chapter 9's mistakes.
import { button, checkbox, drawPixels, element, menu, mixed, slider, status, surface, written } from "./frame.js";
import { SIDE } from "./networks.js";
import { BUGS, inSlices, training } from "./perceptron-training.js";
import { largest, readTensors } from "./tensors.js";

const STEPS = 160, JUDGED = 1000;  // of a run; validation digits
const GUESSING = Math.log(10), TOP = 4;  // the loss of a guess, the end of the loss axis
const RATES = [0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1];
const STENCILS = 12, CLEAR = 0.04;  // units whose weights are drawn; the change that has its full colour
const WIDTH = 320, LEFT = 42, RIGHT = 303;  // of the charts, and where their axes begin and end

/** A run with the default settings: the first loss and means of 8 losses each, and validation accuracies, every 8 steps. */
export const RECORDED = {
  losses: [2.303, 1.645, 0.677, 0.541, 0.43, 0.35, 0.346, 0.323, 0.279, 0.207, 0.185, 0.222, 0.221, 0.172, 0.157, 0.127, 0.149, 0.102, 0.129, 0.082, 0.098],
  accuracies: [0.105, 0.788, 0.818, 0.874, 0.876, 0.906, 0.915, 0.896, 0.922, 0.915, 0.918, 0.922, 0.93, 0.916, 0.924, 0.926, 0.921, 0.934, 0.938, 0.935, 0.941],
};

// By the names that perceptron-training.js has for them. What to check agrees with the diagnosis card.
const TEXTS = {
  "high rate": ["A learning rate 100 times as high", "The loss leaps far above ln 10, then stays near it. Check the first layer's gradient: exactly 0 means dead layers, anything else that the weights are thrown about. Lower the rate, and build the network again."],
  "no zero_grad": ["zero_grad() forgotten", "The loss falls, then climbs again, and the gradient keeps growing: each step follows the sum of all gradients so far. Compare with a run that is known to be right."],
  "no step": ["optimizer.step() forgotten", "The loss stays near ln 10 with healthy gradients, and the accuracy does not change at all. Check whether the weights move in a step."],
  "random labels": ["Labels drawn again in each step", "The loss stays near ln 10 with healthy gradients, and the weights do move. Look at a batch, as pictures with labels."],
  "zero weights": ["First weights all zero", "The loss sits at ln 10, and every digit gets one answer. Check the first layer's gradient: no signal arrives. Use He's weights, or torch's own."],
  "raw pixels": ["Pixels from 0 to 255, not normalised", "The first loss is far above ln 10: the scale of the inputs or of the first weights is wrong. Look at the values of a batch."],
  "raw validation": ["Only validation digits not normalised", "Good in training, bad in validation from the first epoch on. Use the same function for both splits."],
  softmax: ["Softmax before cross-entropy", "The training loss stops near 1.46, which is ln(e + 9) − 1, even where answers are right. Give the loss logits."],
};

const STYLE = `
.live .below { margin-top: 0.9rem; }
.controls label.range { flex: 1 1 11rem; }
.controls label.row { gap: 0.5rem; }
.progress { min-height: 1.45em; }
.bugs { columns: 2 17rem; column-gap: 1.5rem; }
.bugs > div { break-inside: avoid; }
.bottom { margin: 0.4rem 0 1.1rem; }
.live [hidden] { display: none; }
.signs { display: grid; grid-template-columns: 1fr auto; gap: 0.15rem 1rem; margin: 0; }
.signs dt { color: var(--quiet); }
.signs dd { margin: 0; text-align: right; }
`;

const write = (value) => (value === 0 ? "exactly 0" : written(value, 5));
const writeLoss = (loss) => (loss < 1000 ? loss.toFixed(3) : written(loss, 0));
const percent = (part) => `${(100 * part).toFixed(1)} %`;

/**
 * Train in a worker, or in slices between the page's frames where workers are forbidden. `receive` gets reports,
 * `fail` a message. Ends by itself when `place` leaves the page. Returns { pause, goOn, end }.
 */
function launch(address, place, digits, settings, receive, fail) {
  let worker = null, here = null, paused = false, ended = false, heard = false;
  const deliver = (report) => {
    heard = true;
    if (!ended) receive(report);
  };
  const trainHere = () => {
    worker?.terminate();
    worker = null;
    if (ended) return;
    here = inSlices(training(digits, settings), 20, requestAnimationFrame, deliver);
    if (paused) here.pause();
  };
  try {
    worker = new Worker(address, { type: "module" });
    worker.onmessage = ({ data }) => deliver(data);
    worker.onerror = (event) => {
      event.preventDefault();
      if (!heard) trainHere();
      else if (!ended) fail(event.message);
    };
    worker.postMessage({ digits, settings });
  } catch {
    trainHere();
  }
  const say = (word) => {
    paused = word === "pause";
    if (here) here[word]();
    else worker?.postMessage(word);
  };
  const end = () => {
    ended = true;
    leaving.disconnect();
    worker?.terminate();
    here?.pause();
  };
  const leaving = new MutationObserver(() => place.isConnected || end());
  leaving.observe(document, { childList: true, subtree: true });
  return { pause: () => say("pause"), goOn: () => say("goOn"), end };
}

export default async function trainHere({ load, module, options }) {
  const tensors = await readTensors(await load("train-digits.safetensors.gz"));
  const digits = Object.fromEntries(Object.entries(tensors).map(([name, { data }]) => [name, data]));
  const ten = { ...digits, val_images: digits.val_images.subarray(0, 10 * SIDE * SIDE), val_labels: digits.val_labels.subarray(0, 10) };
  const state = { seed: 0, rate: 0.001, bugs: [], secret: null };
  let run = untrained();

  const said = status(), progress = element("p", { class: "quiet progress" });
  const losses = surface(WIDTH, 158, "", drawLosses), accuracies = surface(WIDTH, 158, "", drawAccuracies);
  const answers = surface(WIDTH, 156, "", drawAnswers);
  const stencils = surface(WIDTH, 106, `What training changed in the weights of ${STENCILS} units of the first layer, as pictures of 28 by 28 pixels.`, drawStencils);
  const batch = surface(WIDTH, 50, "", drawBatch);
  const signs = Object.fromEntries(["first", "gradient", "moved", "gap", "train range", "val range"].map((name) => [name, element("dd", {}, "–")]));
  const root = element("div", {});

  /** A run before its first step, with the answers of ten digits. */
  function untrained() {
    const settings = { seed: state.seed, rate: state.rate, steps: STEPS, units: STENCILS, bugs: state.secret ? [state.secret] : [...state.bugs].sort() };
    const steps = training(ten, { ...settings, steps: 0 });
    let first = null;
    while (!first) first = steps.next().value;
    return { settings, phase: "ready", losses: [], accuracies: [], training: [], images: 0, right: 0, first: first.judged, judged: first.judged, last: null, seconds: 0, trainer: null };
  }

  function start() {
    run.trainer?.end();
    run = untrained();
    const own = run;
    Object.assign(run, { phase: "running", since: performance.now() });
    run.trainer = launch(module("train-worker"), root, digits, run.settings, (report) => own === run && receive(report), (message) => {
      own.phase = "done";
      say(`Training stopped: ${message}`);
    });
    say("Training.");
  }

  function pause() {
    run.trainer.pause();
    run.seconds += (performance.now() - run.since) / 1000;
    run.phase = "paused";
    say("Paused.");
  }

  function goOn() {
    run.trainer.goOn();
    Object.assign(run, { phase: "running", since: performance.now() });
    say("Training.");
  }

  const elapsed = () => run.seconds + (run.phase === "running" ? (performance.now() - run.since) / 1000 : 0);

  function receive({ done, ...report }) {
    if (done) return finish();
    if (report.step > 0) {
      if (Number.isFinite(report.loss)) run.losses.push([report.step, report.loss]);
      else run.broken = true;
      run.last = report;
      run.images += report.images;
      run.right += report.right;
      if (report.loss > 10 && !run.leapt) {
        run.leapt = true;
        say(`At step ${report.step} the loss was ${writeLoss(report.loss)}, far above that of guessing.`);
      }
    }
    if (report.judged) {
      const before = run.accuracies.at(-1)?.[1] ?? 0;
      run.judged = report.judged;
      run.accuracies.push([report.step, report.judged.accuracy]);
      if (run.images > 0) run.training.push([report.step, run.right / run.images]);
      run.images = run.right = 0;
      if (report.judged.accuracy >= 0.9 && before < 0.9) say(`At step ${report.step}, after ${elapsed().toFixed(1)} s, ${percent(report.judged.accuracy)} of the validation digits were right: 90 % is passed.`);
      show();
    }
    showStep();
  }

  function finish() {
    run.seconds = elapsed();
    run.phase = "done";
    const accuracy = run.judged.accuracy, right = `${percent(accuracy)} of ${JUDGED.toLocaleString("en")} validation digits are right`;
    if (run.broken) say(`Step ${run.last.step}: the loss is no longer a finite number, and nothing brings it back. Lower the rate, and start again.`);
    else if (accuracy < 0.2) say(`Done, after ${run.seconds.toFixed(1)} s: ${right}, hardly more than by guessing.`);
    else say(`Done, after ${run.seconds.toFixed(1)} s: ${right}.`);
  }

  function say(text) {
    said(text);
    show();
  }

  function showStep() {
    const { last, phase } = run;
    if (!last) progress.textContent = phase === "ready" ? "Step 0: the first weights, drawn at random" : "Step 0";
    else progress.textContent = `Step ${last.step} of ${STEPS} · loss ${Number.isFinite(last.loss) ? writeLoss(last.loss) : "not finite"} · ${elapsed().toFixed(1)} s`;
    losses.redraw();
  }

  function show() {
    main.textContent = { ready: "Start", running: "Pause", paused: "Go on", done: "Start again" }[run.phase];
    again.hidden = run.phase === "ready" || run.phase === "done";
    const { seed, rate, bugs } = run.settings;
    const same = seed === state.seed && rate === state.rate && (state.secret || String(bugs) === String([...state.bugs].sort()));
    later.hidden = same || run.phase === "ready";
    rates.set(rates.input.value);  // its text says what a mistake makes of it
    showChecks();
    const [step, accuracy] = run.accuracies.at(-1) ?? [0, null];
    const lastLoss = run.losses.at(-1)?.[1];
    losses.canvas.setAttribute("aria-label", lastLoss === undefined ? "Training loss: no step yet. Guessing costs 2.303." : `Training loss: ${writeLoss(run.losses[0][1])} at first, ${writeLoss(lastLoss)} at step ${run.last.step} of ${STEPS}. Guessing costs 2.303.`);
    accuracies.canvas.setAttribute("aria-label", accuracy === null ? "Validation accuracy: no step yet." : `Validation accuracy: ${percent(accuracy)} at step ${step} of ${STEPS}.`);
    answers.canvas.setAttribute("aria-label", `Ten validation digits: ${readings().map(({ label, answer }) => `a ${label} read as ${answer}`).join(", ")}.`);
    const { chosen, labels, range } = run.last?.batch ?? {};
    batch.canvas.setAttribute("aria-label", labels ? `Ten digits of the batch at step ${run.last.step}: ${[...labels].map((label, at) => `a ${digits.labels[chosen[at]]} with the label ${label}`).join(", ")}.` : "The first batch comes with the first step.");
    const fill = (name, text) => (signs[name].textContent = text);
    const span = ([low, high]) => `${low.toFixed(2)} to ${high.toFixed(2)}`.replaceAll("-", "−").replaceAll(".00", "");
    fill("first", lastLoss === undefined ? "–" : writeLoss(run.losses[0][1]));
    fill("gradient", run.last ? write(run.last.gradient) : "–");
    fill("moved", run.last ? write(run.last.moved) : "–");
    fill("gap", run.training.length ? `${percent(run.training.at(-1)[1])}, ${percent(accuracy)}` : "–");
    fill("train range", range ? span(range) : "–");
    fill("val range", span(run.judged.range));
    for (const { redraw } of [losses, accuracies, answers, stencils, batch]) redraw();
    showStep();
  }

  /** What to check for the mistakes of this run, once it has begun and its mistakes are no secret. */
  function showChecks() {
    const made = run.phase === "ready" || state.secret ? [] : run.settings.bugs;
    checks.replaceChildren(...made.map((bug) => element("p", {}, element("strong", {}, `${TEXTS[bug][0]}. `), TEXTS[bug][1])));
    if (made.length === 0) checks.append(element("p", { class: "quiet" }, state.secret ? "It comes here once you have found the mistake." : "Tick a mistake and press Start: it comes here."));
  }

  const readings = () => Array.from({ length: 10 }, (_, at) => ({ label: digits.val_labels[at], answer: largest([...run.judged.logits.subarray(10 * at, 10 * at + 10)]) }));

  function drawLosses(context, colours) {
    const [x, y] = chart(context, colours, TOP, [0, 1, 2, 3, 4], String, GUESSING);
    line(context, colours.quiet, RECORDED.losses.map((loss, place) => [x(Math.max(1, 8 * place - 3.5)), y(loss)]), [4, 3]);
    line(context, colours.blue, run.losses.map(([step, loss]) => [x(step), y(Math.min(loss, TOP))]));
    note(context, colours, "ln 10 = 2.303: the loss of a guess", RIGHT, y(GUESSING) - 7, "right");
    const most = run.losses.reduce((best, one) => (one[1] > best[1] ? one : best), [0, 0]);
    if (most[1] > TOP) note(context, colours, `↑ up to ${writeLoss(most[1])}, at step ${most[0]}`, Math.min(x(most[0]) + 8, 150), 40);
    key(context, colours, [[colours.blue, [], "this run"], [colours.quiet, [4, 3], "recorded run"]]);
  }

  function drawAccuracies(context, colours) {
    const [x, y] = chart(context, colours, 1, [0, 0.5, 0.9], (part) => `${100 * part} %`, 0.1);
    line(context, colours.quiet, RECORDED.accuracies.map((accuracy, place) => [x(8 * place), y(accuracy)]), [4, 3]);
    line(context, colours.orange, run.training.map(([step, part]) => [x(step), y(part)]), [1, 3]);
    line(context, colours.blue, run.accuracies.map(([step, part]) => [x(step), y(part)]));
    note(context, colours, "guessing: 10 %", RIGHT, y(0.1) - 7, "right");
    key(context, colours, [[colours.blue, [], "validation"], [colours.orange, [1, 3], "training"], [colours.quiet, [4, 3], "recorded"]]);
  }

  function drawAnswers(context, colours) {
    readings().forEach(({ label, answer }, at) => {
      const left = 66 * (at % 5), top = 78 * Math.floor(at / 5), right = answer === label;
      digit(context, colours, digits.val_images, at, [left, top, 56, 56]);
      context.fillStyle = right ? colours.green : colours.red;
      context.textAlign = "center";
      context.font = '600 16px "Source Sans 3", system-ui, sans-serif';
      context.fillText(`${answer} ${right ? "✓" : "✗"}`, left + 28, top + 72);
    });
  }

  function drawStencils(context, colours) {
    for (let unit = 0; unit < STENCILS; unit += 1) {
      const own = ({ stencils }) => stencils.subarray(unit * SIDE * SIDE, (unit + 1) * SIDE * SIDE), first = own(run.first);
      const box = [53.6 * (unit % 6), 54 * Math.floor(unit / 6), 50, 50];
      const changes = own(run.judged).map((weight, place) => weight - first[place]);
      drawPixels(context, changes, [SIDE, SIDE], box, (change) => mixed(colours.paper, change > 0 ? colours.red : colours.blue, Math.abs(change) / CLEAR));
      context.strokeStyle = colours.line;
      context.strokeRect(box[0] + 0.5, box[1] + 0.5, 49, 49);
    }
    if (!run.accuracies.at(-1)?.[0]) note(context, colours, "Nothing yet", WIDTH / 2, 57, "center");
  }

  function drawBatch(context, colours) {
    const { chosen = [], labels } = run.last?.batch ?? {};
    context.textAlign = "center";
    chosen.forEach((image, at) => {
      digit(context, colours, digits.images, image, [32 * at, 0, 28, 28]);
      context.fillStyle = colours.ink;
      context.fillText(labels[at], 32 * at + 14, 45);
    });
    if (chosen.length > 0) return;
    context.fillStyle = colours.quiet;
    context.fillText("It comes with the first step.", WIDTH / 2, 28);
  }

  const writeRate = (value) => {
    const shown = (number) => number.toFixed(5).replace(/\.?0+$/, "");
    return state.bugs.includes("high rate") && !state.secret ? `${shown(value)} (used: ${shown(100 * value)})` : shown(value);
  };
  const checks = element("div", { class: "checks" });
  const main = button("Start", (event) => {
    if (event.detail > 1) return;  // the second click of a double click is not meant for "Pause"
    ({ ready: start, running: pause, paused: goOn, done: start })[run.phase]();
  });
  const again = button("Start again", start, { hidden: true });
  const later = element("p", { class: "quiet", hidden: true }, "The new settings count from the next start.");
  const change = (changes) => {
    Object.assign(state, changes);
    if (run.phase === "ready") run = untrained();
    show();
  };
  const rates = slider("Learning rate", { min: 0, max: RATES.length - 1, value: RATES.indexOf(state.rate), write: (place) => writeRate(RATES[place]) }, (place) => change({ rate: RATES[place] }));
  const seed = menu("Seed", Array.from({ length: 10 }, (_, number) => [number, number]), 0, (value) => change({ seed: Number(value) }));

  const title = (text) => element("p", { class: "title below" }, text);
  root.append(
    element("style", {}, STYLE),
    options.bugs ? mistakes() : "",
    element("div", { class: "row controls" }, main, again, seed.element, rates.element),
    later,
    said.element,
    element(
      "div",
      { class: "columns" },
      element(
        "div",
        {},
        progress,
        title("Training loss, by step"),
        losses.canvas,
        title("Accuracy, by step"),
        accuracies.canvas,
      ),
      element(
        "div",
        {},
        element("p", { class: "title" }, "Ten validation digits, and what it reads now"),
        answers.canvas,
        ...(options.bugs ? evidence() : [title("What twelve units have learned"), stencils.canvas, element("p", { class: "quiet" }, "Changes of their weights since the start. Red: ink here now excites the unit more. Blue: less.")]),
        element("p", { class: "quiet" }, `The network is 784 → 512 → 256 → 10, trained with Adam in batches of 128 out of 4,000 digits. The recorded run has the rate 0.001 and the seed 0${options.bugs ? ", and no mistake" : ""}.`),
      ),
    ),
  );
  said("Untrained, it can only guess. Press Start.");
  show();
  return root;

  function evidence() {
    const names = {
      "train range": "Pixels, in training",
      "val range": "Pixels, in validation",
      first: "First loss (ln 10 is 2.303)",
      gradient: "First layer's gradient, rms",
      moved: "Last step of its weights, rms",
      gap: "Accuracy: training, validation",
    };
    const rows = Object.entries(names).map(([name, text]) => [element("dt", {}, text), signs[name]]);
    return [title("A batch, with its labels"), batch.canvas, title("What to look at"), element("dl", { class: "signs" }, rows.flat()), element("p", { class: "quiet" }, "rms: the root of the mean square, the typical size of a number."), title("What to check"), checks];
  }

  function mistakes() {
    const ticks = BUGS.map((bug) => {
      const { element: label, input } = checkbox(TEXTS[bug][0], false, (on) => {
        change({ bugs: BUGS.filter((other) => (other === bug ? on : state.bugs.includes(other))) });
      });
      return { bug, input, element: element("div", {}, label) };
    });
    const guess = menu("Which mistake is it?", [["", "your guess"], ...BUGS.map((bug) => [bug, TEXTS[bug][0]])], "", (bug) => {
      if (bug === state.secret) reveal("Right");
      else if (bug) say(`No, not this one. ${TEXTS[bug][1].split(". ")[0]}.`);
    });
    const reveal = (word) => {
      const bug = state.secret;
      ticks.forEach((tick) => (tick.input.checked = tick.bug === bug));
      Object.assign(state, { secret: null, bugs: [bug] });
      known.hidden = false;
      hidden.hidden = true;
      say(`${word}: ${TEXTS[bug][0]}.`);
      ticks[BUGS.indexOf(bug)].input.focus();
    };
    let last = null;
    const secret = button("Train with a secret mistake", () => {
      const others = BUGS.filter((bug) => bug !== last);
      last = state.secret = others[Math.floor(Math.random() * others.length)];
      guess.input.value = "";
      known.hidden = true;
      hidden.hidden = false;
      guess.input.focus();
      start();
    });
    const known = element("div", {}, element("fieldset", {}, element("legend", {}, "Mistakes to train with"), element("div", { class: "bugs" }, ticks.map((tick) => tick.element))), element("div", { class: "row bottom" }, secret));
    const hidden = element("div", { class: "row bottom", hidden: true }, guess.element, button("Reveal", () => reveal("It is")));
    return element("div", {}, known, hidden);
  }
}

/** Axes with steps to the right; the value `marked` has a line of its own. Returns functions from step and value to units. */
function chart(context, colours, top, ticks, name, marked) {
  const high = 24, low = 134;
  const x = (step) => LEFT + ((RIGHT - LEFT) * step) / STEPS, y = (value) => low - ((low - high) * value) / top;
  context.lineWidth = 1;
  context.textAlign = "right";
  for (const tick of ticks) {
    line(context, colours.line, [[LEFT, y(tick)], [RIGHT, y(tick)]], [], 1);
    context.fillStyle = colours.quiet;
    context.fillText(name(tick), LEFT - 5, y(tick) + 5);
  }
  line(context, colours.ink, [[LEFT, y(marked)], [RIGHT, y(marked)]], [2, 3], 1);
  context.textAlign = "center";
  for (let step = 0; step <= STEPS; step += 40) context.fillText(step, x(step), low + 17);
  context.textAlign = "left";
  return [x, y];
}

function line(context, colour, points, dashes = [], width = 2) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.setLineDash(dashes);
  context.beginPath();
  points.forEach(([x, y], place) => (place === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
  context.stroke();
  context.setLineDash([]);
}

/** Words that can be read on top of curves. */
function note(context, colours, words, x, y, align = "left") {
  const width = context.measureText(words).width, left = { left: x, center: x - width / 2, right: x - width }[align];
  context.fillStyle = colours.paper;
  context.fillRect(left - 3, y - 12, width + 6, 14);
  context.fillStyle = colours.ink;
  context.textAlign = "left";
  context.fillText(words, left, y);
}

function key(context, colours, entries) {
  let left = 2;
  for (const [colour, dashes, name] of entries) {
    line(context, colour, [[left, 8], [left + 18, 8]], dashes);
    context.fillStyle = colours.ink;
    context.fillText(name, left + 23, 13);
    left += 23 + context.measureText(name).width + 14;
  }
}

function digit(context, colours, images, place, box) {
  drawPixels(context, images.subarray(place * SIDE * SIDE, (place + 1) * SIDE * SIDE), [SIDE, SIDE], box, (value) => mixed(colours.paper, colours.ink, value / 255));
  context.strokeStyle = colours.line;
  context.lineWidth = 1;
  context.strokeRect(box[0] + 0.5, box[1] + 0.5, box[2] - 1, box[3] - 1);
}
