// Plain gradient descent, momentum and Adam as torch.optim has them, for a list of weights.

const BETAS = [0.9, 0.999], EPS = 1e-8;  // torch.optim.Adam's defaults

/**
 * By name: `step(weights, gradient, rate, memory)` returns `{ weights, memory }` and what it computed on the way.
 * `memory` is what the method keeps from step to step, undefined before the first one.
 */
export const OPTIMISERS = {
  sgd(weights, gradient, rate) {
    return { weights: weights.map((w, i) => w - rate * gradient[i]) };
  },

  /** torch.optim.SGD(momentum=0.9): steps along v, to which each step adds the gradient. */
  momentum(weights, gradient, rate, memory = { v: weights.map(() => 0) }) {
    const v = gradient.map((g, i) => 0.9 * memory.v[i] + g);
    return { weights: weights.map((w, i) => w - rate * v[i]), memory: { v }, before: memory.v, v };
  },

  /** torch.optim.Adam: running means of the gradients and of their squares, both corrected for their start at 0. */
  adam(weights, gradient, rate, memory = { steps: 0, m: weights.map(() => 0), s: weights.map(() => 0) }) {
    const steps = memory.steps + 1;
    const m = gradient.map((g, i) => BETAS[0] * memory.m[i] + (1 - BETAS[0]) * g);
    const s = gradient.map((g, i) => BETAS[1] * memory.s[i] + (1 - BETAS[1]) * g * g);
    const mean = m.map((value) => value / (1 - BETAS[0] ** steps));
    const root = s.map((value) => Math.sqrt(value / (1 - BETAS[1] ** steps)) + EPS);
    return { weights: weights.map((w, i) => w - (rate * mean[i]) / root[i]), memory: { steps, m, s }, mean, root };
  },
};
