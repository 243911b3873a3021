// Chapter 1's perceptron and its training, as torch does it: forward, backward, Adam. Nothing here touches the page.
import { generator } from "./draws.js";
import { normalised } from "./networks.js";

export const WIDTHS = [784, 512, 256, 10];
export const BATCH = 128;
const PIECE = 32;  // images computed at once; gradients of the pieces add up to the batch's
const JUDGED = 100;  // the same, for validation

/** The numbers from 0 to count − 1 in random order. */
export function shuffled(count, random) {
  const order = Uint32Array.from({ length: count }, (_, place) => place);
  for (let last = count - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

/** First weights as torch's nn.Linear draws them: uniform between ±1/√inputs. Layers: { inputs, outputs, weight, bias }. */
export function firstWeights(random, widths = WIDTHS) {
  return widths.slice(1).map((outputs, place) => {
    const inputs = widths[place], bound = 1 / Math.sqrt(inputs);
    const draw = (count) => new Float32Array(count).map(() => bound * (2 * random() - 1));
    return { inputs, outputs, weight: draw(outputs * inputs), bias: draw(outputs) };
  });
}

/** Layers of the same shapes, all zero: for gradients and for Adam's means. */
export const zeros = (layers) => layers.map(({ inputs, outputs }) => ({ inputs, outputs, weight: new Float32Array(outputs * inputs), bias: new Float32Array(outputs) }));

/** c[i, j] += Σ a[i, t] b[j, t], for a (rows, depth) and b (columns, depth). Blocks of 4 × 4 sums reuse what they read. */
function addProducts(a, b, c, rows, columns, depth) {
  const fullRows = rows - (rows % 4), fullColumns = columns - (columns % 4);
  for (let i = 0; i < fullRows; i += 4) {
    for (let j = 0; j < fullColumns; j += 4) {
      const a0 = i * depth, a1 = a0 + depth, a2 = a1 + depth, a3 = a2 + depth;
      const b0 = j * depth, b1 = b0 + depth, b2 = b1 + depth, b3 = b2 + depth;
      let s00 = 0, s01 = 0, s02 = 0, s03 = 0, s10 = 0, s11 = 0, s12 = 0, s13 = 0;
      let s20 = 0, s21 = 0, s22 = 0, s23 = 0, s30 = 0, s31 = 0, s32 = 0, s33 = 0;
      for (let t = 0; t < depth; t += 1) {
        const u0 = a[a0 + t], u1 = a[a1 + t], u2 = a[a2 + t], u3 = a[a3 + t];
        const v0 = b[b0 + t], v1 = b[b1 + t], v2 = b[b2 + t], v3 = b[b3 + t];
        s00 += u0 * v0; s01 += u0 * v1; s02 += u0 * v2; s03 += u0 * v3;
        s10 += u1 * v0; s11 += u1 * v1; s12 += u1 * v2; s13 += u1 * v3;
        s20 += u2 * v0; s21 += u2 * v1; s22 += u2 * v2; s23 += u2 * v3;
        s30 += u3 * v0; s31 += u3 * v1; s32 += u3 * v2; s33 += u3 * v3;
      }
      const c0 = i * columns + j, c1 = c0 + columns, c2 = c1 + columns, c3 = c2 + columns;
      c[c0] += s00; c[c0 + 1] += s01; c[c0 + 2] += s02; c[c0 + 3] += s03;
      c[c1] += s10; c[c1 + 1] += s11; c[c1 + 2] += s12; c[c1 + 3] += s13;
      c[c2] += s20; c[c2 + 1] += s21; c[c2 + 2] += s22; c[c2 + 3] += s23;
      c[c3] += s30; c[c3 + 1] += s31; c[c3 + 2] += s32; c[c3 + 3] += s33;
    }
  }
  for (let i = 0; i < rows; i += 1) {
    for (let j = i < fullRows ? fullColumns : 0; j < columns; j += 1) {
      let sum = 0;
      for (let t = 0; t < depth; t += 1) sum += a[i * depth + t] * b[j * depth + t];
      c[i * columns + j] += sum;
    }
  }
}

function transposed(a, rows, columns) {
  const result = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i += 1) {
    for (let j = 0; j < columns; j += 1) result[j * rows + i] = a[i * columns + j];
  }
  return result;
}

/** What goes into each layer, and last the logits, for `count` images x: a list of arrays (count, width). */
export function forward(layers, x, count) {
  const outputs = [x];
  layers.forEach((layer, place) => {
    const y = new Float32Array(count * layer.outputs);
    for (let image = 0; image < count; image += 1) y.set(layer.bias, image * layer.outputs);
    addProducts(outputs[place], layer.weight, y, count, layer.outputs, layer.inputs);
    if (place < layers.length - 1) for (let i = 0; i < y.length; i += 1) if (y[i] < 0) y[i] = 0;  // ReLU
    outputs.push(y);
  });
  return outputs;
}

function softmaxRows(rows, classes) {
  const result = new Float32Array(rows.length);
  for (let start = 0; start < rows.length; start += classes) {
    let most = -Infinity, sum = 0;
    for (let k = 0; k < classes; k += 1) most = Math.max(most, rows[start + k]);
    for (let k = 0; k < classes; k += 1) sum += Math.exp(rows[start + k] - most);
    for (let k = 0; k < classes; k += 1) result[start + k] = Math.exp(rows[start + k] - most) / sum;
  }
  return result;
}

/** The cross-entropy of each image, and its derivative by each logit: { losses, delta }. */
export function crossEntropy(logits, labels) {
  const count = labels.length, classes = logits.length / count, delta = softmaxRows(logits, classes);
  const losses = new Float32Array(count);
  for (let image = 0; image < count; image += 1) {
    const own = image * classes;
    let most = -Infinity, sum = 0;
    for (let k = 0; k < classes; k += 1) most = Math.max(most, logits[own + k]);
    for (let k = 0; k < classes; k += 1) sum += Math.exp(logits[own + k] - most);
    losses[image] = most + Math.log(sum) - logits[own + labels[image]];
    delta[own + labels[image]] -= 1;
  }
  return { losses, delta };
}

/** The mistake of chapter 9: cross-entropy, which applies softmax itself, of probabilities. */
export function crossEntropyOfProbabilities(logits, labels) {
  const count = labels.length, classes = logits.length / count, chances = softmaxRows(logits, classes);
  const { losses, delta } = crossEntropy(chances, labels);
  for (let own = 0; own < logits.length; own += classes) {
    let mean = 0;
    for (let k = own; k < own + classes; k += 1) mean += chances[k] * delta[k];
    for (let k = own; k < own + classes; k += 1) delta[k] = chances[k] * (delta[k] - mean);
  }
  return { losses, delta };
}

/** Add to `gradients` those of a loss whose derivatives by the logits are `delta`; `outputs` are those of `forward`. */
export function backward(layers, outputs, delta, gradients) {
  for (let place = layers.length - 1; place >= 0; place -= 1) {
    const { inputs, outputs: width, weight } = layers[place], x = outputs[place], count = x.length / inputs;
    const own = gradients[place];
    addProducts(transposed(delta, count, width), transposed(x, count, inputs), own.weight, width, inputs, count);
    for (let i = 0; i < delta.length; i += 1) own.bias[i % width] += delta[i];
    if (place === 0) return;
    const before = new Float32Array(count * inputs);
    addProducts(delta, transposed(weight, width, inputs), before, count, inputs, width);
    for (let i = 0; i < before.length; i += 1) if (x[i] === 0) before[i] = 0;  // ReLU's derivative
    delta = before;
  }
}

/** Adam with torch's defaults. Returns `step(gradients, rate)`, which changes the layers. */
export function adam(layers, [keep, keepSquare] = [0.9, 0.999], epsilon = 1e-8) {
  const means = zeros(layers), squares = zeros(layers);
  let steps = 0;
  return (gradients, rate) => {
    steps += 1;
    const length = rate / (1 - keep ** steps), root = Math.sqrt(1 - keepSquare ** steps);
    layers.forEach((layer, place) => {
      for (const name of ["weight", "bias"]) {
        const w = layer[name], g = gradients[place][name], m = means[place][name], v = squares[place][name];
        for (let i = 0; i < w.length; i += 1) {
          m[i] += (1 - keep) * (g[i] - m[i]);
          v[i] = keepSquare * v[i] + (1 - keepSquare) * g[i] * g[i];
          w[i] -= (length * m[i]) / (Math.sqrt(v[i]) / root + epsilon);
        }
      }
    });
  };
}

// What each pixel of 0 to 255 becomes: normalised, or not.
const PIXELS = Uint8Array.from({ length: 256 }, (_, pixel) => pixel);
const READ = { normalised: normalised(PIXELS), between0And1: Float32Array.from(PIXELS, (pixel) => pixel / 255), unchanged: PIXELS };

/** The network's input for the chosen digits, (count, 784). `values` has what each pixel of 0 to 255 becomes. */
export function inputs(pixels, chosen, values = READ.normalised) {
  const size = WIDTHS[0];
  const x = new Float32Array(chosen.length * size);
  chosen.forEach((digit, image) => {
    for (let i = 0; i < size; i += 1) x[image * size + i] = values[pixels[digit * size + i]];
  });
  return x;
}

function countRight(logits, labels) {
  return labels.reduce((sum, label, image) => {
    const own = logits.subarray(10 * image, 10 * image + 10);
    return sum + (own.indexOf(Math.max(...own)) === label);
  }, 0);
}

const rms = (values) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
const clear = (layers) => layers.forEach(({ weight, bias }) => [weight, bias].forEach((values) => values.fill(0)));
const numbers = (from, to) => Uint32Array.from({ length: to - from }, (_, place) => from + place);

/** The mistakes that `training` can make, each on purpose. */
export const BUGS = ["high rate", "no zero_grad", "no step", "random labels", "zero weights", "raw pixels", "raw validation", "softmax"];

/**
 * Train step by step. Yields null within a step, so that whoever runs it can pause there, and after each step a report:
 * { step, images, loss, right, gradient, moved, batch }. These are the batch's size, its mean loss, how many it had right,
 * the rms of the first layer's gradient and of its step, and ten of the batch's digits with their labels.
 * Before the first step and after every few it adds { judged }: validation accuracy, the logits of the first ten
 * validation digits, and the weights of the first units. A loss that is not finite ends the training.
 *
 * `digits` has images, labels, val_images and val_labels; `bugs` names mistakes to make.
 */
export function* training(digits, { seed = 0, rate = 0.001, steps = 160, every = 8, bugs = [], units = 12 } = {}) {
  const random = generator(seed), has = (bug) => bugs.includes(bug);
  const layers = firstWeights(random), first = layers[0].weight, gradients = zeros(layers), step = adam(layers);
  if (has("zero weights")) clear(layers);
  const read = has("raw pixels") ? READ.unchanged : READ.normalised, readToJudge = has("raw validation") ? READ.between0And1 : read;
  const lossOf = has("softmax") ? crossEntropyOfProbabilities : crossEntropy;
  const count = digits.labels.length, judges = digits.val_labels.length;

  function* judge() {
    let right = 0, logits = null;
    for (let from = 0; from < judges; from += JUDGED) {
      const chosen = numbers(from, Math.min(from + JUDGED, judges));
      const answers = forward(layers, inputs(digits.val_images, chosen, readToJudge), chosen.length).at(-1);
      right += countRight(answers, digits.val_labels.subarray(from, from + chosen.length));
      logits ??= answers.slice(0, 100);
      yield null;
    }
    return { accuracy: right / judges, logits, stencils: first.slice(0, units * WIDTHS[0]), range: [readToJudge[0], readToJudge[255]] };
  }

  let order = null, place = count;
  for (let number = 0; number <= steps; number += 1) {
    const report = { step: number };
    if (number > 0) {
      if (place >= count) [order, place] = [shuffled(count, random), 0];  // an epoch begins
      const batch = order.subarray(place, place + BATCH);
      place += BATCH;
      const labels = Uint8Array.from(batch, (digit) => (has("random labels") ? Math.floor(10 * random()) : digits.labels[digit]));
      if (!has("no zero_grad")) clear(gradients);
      let loss = 0, right = 0;
      for (let from = 0; from < batch.length; from += PIECE) {
        const own = labels.subarray(from, from + PIECE), x = inputs(digits.images, batch.subarray(from, from + PIECE), read);
        const outputs = forward(layers, x, own.length), { losses, delta } = lossOf(outputs.at(-1), own);
        loss += losses.reduce((sum, value) => sum + value, 0) / batch.length;
        right += countRight(outputs.at(-1), own);
        backward(layers, outputs, delta.map((value) => value / batch.length), gradients);
        yield null;
      }
      const before = first.slice();
      if (!has("no step")) step(gradients, has("high rate") ? 100 * rate : rate);
      const moved = rms(before.map((value, i) => first[i] - value)), gradient = rms(gradients[0].weight);
      const shown = { chosen: batch.slice(0, 10), labels: labels.slice(0, 10), range: [read[0], read[255]] };
      Object.assign(report, { images: batch.length, loss, right, gradient, moved, batch: shown });
    }
    if (number % every === 0) report.judged = yield* judge();
    yield report;
    if (number > 0 && !Number.isFinite(report.loss)) return;
  }
}

/**
 * Run a training in slices of so many milliseconds; `later(slice)` calls the next one. `receive` gets each report, and
 * { done: true } at the end. Returns { pause, goOn }.
 */
export function inSlices(steps, milliseconds, later, receive) {
  let going = true, waiting = false;
  const wait = () => {
    if (!waiting) later(slice);
    waiting = true;
  };
  const slice = () => {
    waiting = false;
    const until = performance.now() + milliseconds;
    while (going && performance.now() < until) {
      const { value, done } = steps.next();
      if (done) return receive({ done });
      if (value) receive(value);
    }
    if (going) wait();
  };
  wait();
  return {
    pause: () => (going = false),
    goOn() {
      going = true;
      wait();
    },
  };
}
