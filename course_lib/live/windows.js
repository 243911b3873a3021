// What a convolution does at each position of its window, with small pictures and kernels to try it on.
import { conv2d } from "./tensors.js";

export const SIDE = 8;  // pixels of the picture, each 0 (paper), 1 (grey) or 2 (ink)
export const LARGEST = 5;  // weights are kept for this side; a smaller kernel is its middle
export const MOST = 100;  // a weight's largest size

export const PICTURES = {
  square: ["00000000", "00000000", "00222200", "00222200", "00222200", "00222200", "00000000", "00000000"],
  seven: ["00000000", "02222220", "00000220", "00001210", "00002100", "00012000", "00021000", "00020000"],
  ring: ["00000000", "00122100", "01200210", "02000020", "02000020", "01200210", "00122100", "00000000"],
  empty: Array(SIDE).fill("00000000"),
};
export const KERNELS = {
  "vertical edge": [-1, 0, 1, -1, 0, 1, -1, 0, 1],
  "horizontal edge": [-1, -1, -1, 0, 0, 0, 1, 1, 1],
  "diagonal stroke": [-1, -1, 2, -1, 2, -1, 2, -1, -1],
  blur: [0.1, 0.1, 0.1, 0.1, 0.2, 0.1, 0.1, 0.1, 0.1],
  sharpen: [0, -1, 0, -1, 5, -1, 0, -1, 0],
  copy: [0, 0, 0, 0, 1, 0, 0, 0, 0],
};

/** A weight from what somebody typed, or null where that is no number from −100 to 100. */
export function readWeight(text) {
  const value = text.trim() === "" ? NaN : Number(text);
  return Math.abs(value) <= MOST ? value : null;
}

/** The middle `k` × `k` of a sheet of 5 × 5 weights, as places in it, row by row. */
export const middle = (k) => Array.from({ length: k * k }, (_, at) => {
  const rim = (LARGEST - k) / 2;
  return (rim + Math.floor(at / k)) * LARGEST + rim + (at % k);
});

/** The map of `pictures` (each 8 × 8) under `sheets` (each k × k), one sheet a picture: `{ side, data }`. */
export function featureMap(pictures, sheets, k, settings) {
  const x = { shape: [pictures.length, SIDE, SIDE], data: pictures.flat() };
  const { shape, data } = conv2d(x, { shape: [1, sheets.length, k, k], data: sheets.flat() }, null, settings);
  return { side: shape[1], data };
}

/** What one window multiplies, a list a channel: `[{ pixel, weight }, …]`, row by row. Outside the picture are zeros. */
export function windowTerms(pictures, sheets, k, { stride, padding, dilation }, row, column) {
  return sheets.map((sheet, channel) => sheet.map((weight, at) => {
    const y = row * stride + Math.floor(at / k) * dilation - padding, x = column * stride + (at % k) * dilation - padding;
    const inside = y >= 0 && y < SIDE && x >= 0 && x < SIDE;
    return { pixel: inside ? pictures[channel][y * SIDE + x] : 0, weight };
  }));
}
