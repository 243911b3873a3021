// The trained networks of chapters 1 and 2. Input: 784 pixels from 0 (paper) to 255 (ink).
import { conv2d, linear, maxPool, relu } from "./tensors.js";

export const SIDE = 28;
const MEAN = 0.1306604762738429, DEVIATION = 0.30810780385646264;  // of MNIST's training pixels, from 0 to 1

/** Pixels as the networks see them: normalised by MNIST's mean and standard deviation. */
export const normalised = (pixels) => Float32Array.from(pixels, (pixel) => (pixel / 255 - MEAN) / DEVIATION);

/** The perceptron's ten logits. */
export function perceptron(weights, pixels) {
  let x = normalised(pixels);
  for (const layer of ["features.0", "features.2"]) x = relu(linear(x, weights[`${layer}.weight`], weights[`${layer}.bias`]));
  return linear(x, weights["classifier.weight"], weights["classifier.bias"]);
}

/** LeNet-5's ten logits, and the maps that its two convolutions give, after ReLU: (6, 28, 28) and (16, 10, 10). */
export function lenet5(weights, pixels) {
  const layer = (name) => [weights[`${name}.weight`], weights[`${name}.bias`]];
  const cut = (maps) => ({ ...maps, data: relu(maps.data) });
  const first = cut(conv2d({ shape: [1, SIDE, SIDE], data: normalised(pixels) }, ...layer("features.0"), { padding: 2 }));
  const second = cut(conv2d(maxPool(first), ...layer("features.3")));
  let x = maxPool(second).data;
  for (const name of ["classifier.1", "classifier.3"]) x = relu(linear(x, ...layer(name)));
  return { logits: linear(x, ...layer("classifier.5")), maps: [first, second] };
}
