// The loss of a straight line, y = w₁ x + w₂: the mean squared error over some points. It is a quadratic bowl.
import { OPTIMISERS } from "./optimisers.js";

const TOO_LARGE = 1e9;  // where a path ends: it will not come back, and no number overflows

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const residuals = (points, [slope, height]) => points.map(([x, y]) => slope * x + height - y);

export const loss = (points, weights) => mean(residuals(points, weights).map((r) => r * r));

export function gradient(points, weights) {
  const apart = residuals(points, weights);
  return [2 * mean(apart.map((r, i) => r * points[i][0])), 2 * mean(apart)];
}

/**
 * The bowl: its lowest point `weights` and `loss`, and its curvatures, the eigenvalues of the matrix of second
 * derivatives: `steep` and `flat`, each `{ curvature, direction }`. At least two points must differ in x.
 */
export function bowl(points) {
  const xs = points.map(([x]) => x), ys = points.map(([, y]) => y);
  const x = mean(xs), xx = mean(xs.map((value) => value * value));
  const slope = (mean(points.map(([a, b]) => a * b)) - x * mean(ys)) / (xx - x * x);
  const weights = [slope, mean(ys) - slope * x];
  const half = (xx + 1) / 2, apart = Math.hypot((xx - 1) / 2, x);  // of the matrix [[xx, x], [x, 1]]
  const along = (eigenvalue) => {
    const length = Math.hypot(x, eigenvalue - xx);
    return { curvature: 2 * eigenvalue, direction: [x / length, (eigenvalue - xx) / length] };
  };
  return { weights, loss: loss(points, weights), steep: along(half + apart), flat: along(half - apart) };
}

/** From `start`, up to `steps` steps of a method: a list of `{ weights, loss, gradient, how }`, `how` it got there. */
export function descend(points, start, method, rate, steps) {
  const at = (weights, how) => ({ weights, loss: loss(points, weights), gradient: gradient(points, weights), how });
  const path = [at(start)];
  while (path.length <= steps && path.at(-1).loss < TOO_LARGE) {
    const { weights, gradient: g, how } = path.at(-1);
    const next = OPTIMISERS[method](weights, g, rate, how?.memory);
    path.push(at(next.weights, next));
  }
  return path;
}
