// Receptive fields of a network's units: the square by arithmetic, and the gradient, pixel by pixel.
// A network is { side, steps }. A step is a window { name, type, inputs, kernel, stride, padding, dilation }, or a sum
// of type "add"; `inputs` are places of earlier steps, -1 is the image.

export const IMAGE = -1;

/**
 * What one unit of each step sees, along one side of the image: `size` is the side of its square, `jump` the distance of
 * neighbouring units, `start` the first pixel that unit 0 sees, all in pixels; `units` is the side of the step's map.
 * A window of k adds (k - 1) d jumps, padding moves the start back, and where paths meet, the larger square counts.
 */
export function arithmetic({ side, steps }) {
  const seen = [];
  const of = (place) => (place === IMAGE ? { units: side, size: 1, jump: 1, start: 0 } : seen[place]);
  for (const { type, inputs, kernel, stride, padding, dilation } of steps) {
    const before = inputs.map(of);
    if (type === "add") {
      const start = Math.min(...before.map((one) => one.start)), end = Math.max(...before.map((one) => one.start + one.size));
      seen.push({ ...before[0], start, size: end - start });
      continue;
    }
    const [{ units, size, jump, start }] = before, reach = (kernel - 1) * dilation;
    seen.push({
      units: Math.floor((units + 2 * padding - reach - 1) / stride) + 1,
      size: size + reach * jump,
      jump: jump * stride,
      start: start - padding * jump,
    });
  }
  return seen;
}

/**
 * The gradient of one unit by each pixel, a Float64Array of side × side, in a copy of the network with one channel, all
 * weights 1, averages in place of maxima, and nothing else. It is the chain rule, from the unit back to the image.
 */
export function gradient({ side, steps }, place, row, column) {
  const units = arithmetic({ side, steps }).map((one) => one.units);
  const gradients = new Map([[place, new Float64Array(units[place] ** 2)]]);
  gradients.get(place)[row * units[place] + column] = 1;
  const below = (input) => {
    if (!gradients.has(input)) gradients.set(input, new Float64Array((input === IMAGE ? side : units[input]) ** 2));
    return gradients.get(input);
  };
  for (let step = place; step >= 0; step -= 1) {
    const above = gradients.get(step);
    if (!above) continue;  // no path from here to the unit
    const { type, inputs } = steps[step];
    if (type !== "add") {
      spread(above, units[step], below(inputs[0]), inputs[0] === IMAGE ? side : units[inputs[0]], steps[step]);
      continue;
    }
    for (const input of inputs) {
      const sum = below(input);
      above.forEach((value, unit) => (sum[unit] += value));
    }
  }
  return below(IMAGE);
}

/** Each unit of `above` passes its gradient on to all units of `below` inside its window. */
function spread(above, units, below, side, { type, kernel, stride, padding, dilation }) {
  const weight = type === "Conv2d" ? 1 : 1 / kernel ** 2;
  for (let row = 0; row < units; row += 1) {
    for (let column = 0; column < units; column += 1) {
      const value = weight * above[row * units + column];
      if (value === 0) continue;
      for (let u = 0; u < kernel; u += 1) {
        const y = row * stride + u * dilation - padding;
        if (y < 0 || y >= side) continue;
        for (let v = 0; v < kernel; v += 1) {
          const x = column * stride + v * dilation - padding;
          if (x >= 0 && x < side) below[y * side + x] += value;
        }
      }
    }
  }
}

/** The pixels that a unit sees: first row and column, and the side of the square, which may reach over the border. */
export function square({ start, jump, size }, row, column) {
  return { top: start + row * jump, left: start + column * jump, size };
}

/** The part of a square that lies outside of an image of `side` × `side` pixels. */
export function outside({ top, left, size }, side) {
  const inside = (first) => Math.max(0, Math.min(side, first + size) - Math.max(0, first));
  return 1 - (inside(top) * inside(left)) / size ** 2;
}

/** Side of the smallest square about the middle of `square` in which at least half of the gradient lies. */
export function halfSquare(values, side, { top, left, size }) {
  const rings = new Float64Array(size + 1);  // by the side of the square on whose rim a pixel lies
  let total = 0;
  for (let y = Math.max(0, top); y < Math.min(side, top + size); y += 1) {
    for (let x = Math.max(0, left); x < Math.min(side, left + size); x += 1) {
      const away = Math.max(Math.abs(2 * (y - top) + 1 - size), Math.abs(2 * (x - left) + 1 - size));  // in half pixels
      rings[away + 1] += values[y * side + x];
      total += values[y * side + x];
    }
  }
  let sum = 0;
  for (let inner = 1; inner < size; inner += 1) {
    sum += rings[inner];
    if (2 * sum >= total) return inner;
  }
  return size;
}
