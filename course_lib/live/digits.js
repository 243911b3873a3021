// Digits of 28 × 28 pixels: moved, drawn with a pen, and centred as MNIST's makers did.
import { SIDE } from "./networks.js";

const PEN = 1.15;  // half the width of a line, in pixels
const BOX = 20;  // MNIST's makers shrank each digit to fit a square of this side
const MIDDLE = 14;  // and moved it until its centre of mass lay in the pixel that begins here

/** The picture moved by whole pixels to the right and down; ink that leaves the frame is lost. */
export function moved(pixels, right, down) {
  const result = new Float32Array(SIDE * SIDE);
  for (let y = 0; y < SIDE; y += 1) {
    for (let x = 0; x < SIDE; x += 1) {
      const fromX = x - right, fromY = y - down;
      if (fromX >= 0 && fromX < SIDE && fromY >= 0 && fromY < SIDE) result[y * SIDE + x] = pixels[fromY * SIDE + fromX];
    }
  }
  return result;
}

/** Strokes, lists of points { x, y } in pixels, drawn by a round pen with a soft edge: values from 0 to 255. */
export function drawn(strokes) {
  const result = new Float32Array(SIDE * SIDE);
  for (const stroke of strokes) {
    stroke.forEach((end, place) => ink(result, stroke[Math.max(0, place - 1)], end));
  }
  return result;
}

function ink(pixels, from, to) {
  const reach = PEN + 1;
  const first = (a, b) => Math.max(0, Math.floor(Math.min(a, b) - reach));
  const last = (a, b) => Math.min(SIDE - 1, Math.ceil(Math.max(a, b) + reach));
  for (let y = first(from.y, to.y); y <= last(from.y, to.y); y += 1) {
    for (let x = first(from.x, to.x); x <= last(from.x, to.x); x += 1) {
      const covered = Math.min(1, Math.max(0, PEN + 0.5 - distance(x + 0.5, y + 0.5, from, to)));
      pixels[y * SIDE + x] = Math.max(pixels[y * SIDE + x], 255 * covered);
    }
  }
}

/** From a point to the line between two others. */
function distance(x, y, from, to) {
  const dx = to.x - from.x, dy = to.y - from.y, length = dx * dx + dy * dy;
  const part = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - from.x) * dx + (y - from.y) * dy) / length));
  return Math.hypot(x - from.x - part * dx, y - from.y - part * dy);
}

export const isEmpty = (pixels) => pixels.every((value) => value === 0);

/** The picture moved by whole pixels, so that its centre of mass lies in the middle. */
export function centred(pixels) {
  let mass = 0, sumX = 0, sumY = 0;
  pixels.forEach((value, place) => {
    mass += value;
    sumX += value * ((place % SIDE) + 0.5);
    sumY += value * (Math.floor(place / SIDE) + 0.5);
  });
  return mass === 0 ? pixels : moved(pixels, MIDDLE - Math.floor(sumX / mass), MIDDLE - Math.floor(sumY / mass));
}

/** Strokes shrunk or grown until they fill MNIST's box, in the middle of the picture. */
export function fitted(strokes) {
  const points = strokes.flat();
  if (points.length === 0) return strokes;
  const range = (values) => [Math.min(...values), Math.max(...values)];
  const [left, right] = range(points.map((point) => point.x)), [top, bottom] = range(points.map((point) => point.y));
  const scale = (BOX - 2 * PEN) / Math.max(right - left, bottom - top, 1);
  const fit = ({ x, y }) => ({ x: SIDE / 2 + scale * (x - (left + right) / 2), y: SIDE / 2 + scale * (y - (top + bottom) / 2) });
  return strokes.map((stroke) => stroke.map(fit));
}
