// Tensors from a safetensors file, and the layers of the course's networks, in 32-bit floats as torch has them.

// One number for each of the 65,536 patterns of 16 bits: a megabyte of weights is read in milliseconds.
const HALVES = Float32Array.from({ length: 65536 }, (_, bits) => {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
});

const READERS = {
  F16: (bytes) => new Float32Array(new Uint16Array(bytes)).map((bits) => HALVES[bits]),
  F32: (bytes) => new Float32Array(bytes),
  U8: (bytes) => new Uint8Array(bytes),
};

/** The tensors of a safetensors file, which may be packed by gzip: `{ name: { shape, data } }`. */
export async function readTensors(buffer) {
  const start = new Uint8Array(buffer, 0, 2);
  if (start[0] === 0x1f && start[1] === 0x8b) buffer = await unpacked(buffer);
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  delete header.__metadata__;
  const tensors = {};
  for (const [name, { dtype, shape, data_offsets: [from, to] }] of Object.entries(header)) {
    tensors[name] = { shape, data: READERS[dtype](buffer.slice(8 + length + from, 8 + length + to)) };
  }
  return tensors;
}

function unpacked(buffer) {
  if (!globalThis.DecompressionStream) throw new Error("this browser is too old to unpack the digits");
  const stream = new Blob([buffer]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/** y = W x + b, for one x. `weight` has the shape (outputs, inputs). */
export function linear(x, weight, bias) {
  const [outputs, inputs] = weight.shape, w = weight.data;
  const y = new Float32Array(outputs);
  for (let o = 0, place = 0; o < outputs; o += 1) {
    let sum = bias.data[o];
    for (let i = 0; i < inputs; i += 1, place += 1) sum += w[place] * x[i];
    y[o] = sum;
  }
  return y;
}

/** The side of a convolution's output: how many windows of `k` × `k` fit in a row. Below 1 where none fits. */
export const outputSide = (side, k, { stride = 1, padding = 0, dilation = 1 } = {}) => Math.floor((side + 2 * padding - dilation * (k - 1) - 1) / stride) + 1;

/**
 * A convolution of square maps: `x` is { shape: [channels, side, side], data }, `weight` (outputs, channels, k, k).
 * As in torch, the kernel is not flipped, and `padding` adds zeros at the rim.
 */
export function conv2d(x, weight, bias, { stride = 1, padding = 0, dilation = 1 } = {}) {
  const [channels, side] = x.shape, [outputs, , k] = weight.shape;
  const size = Math.max(0, outputSide(side, k, { stride, padding, dilation }));
  const data = new Float32Array(outputs * size * size);
  for (let o = 0, place = 0; o < outputs; o += 1) {
    for (let row = 0; row < size; row += 1) {
      for (let column = 0; column < size; column += 1, place += 1) {
        let sum = bias ? bias.data[o] : 0;
        for (let c = 0; c < channels; c += 1) {
          for (let u = 0; u < k; u += 1) {
            const y = row * stride + u * dilation - padding;
            if (y < 0 || y >= side) continue;
            for (let v = 0; v < k; v += 1) {
              const z = column * stride + v * dilation - padding;
              if (z >= 0 && z < side) sum += weight.data[((o * channels + c) * k + u) * k + v] * x.data[(c * side + y) * side + z];
            }
          }
        }
        data[place] = sum;
      }
    }
  }
  return { shape: [outputs, size, size], data };
}

/** The largest of each `window` × `window` square; squares do not overlap, and a rest at the rim is left out. */
export function maxPool(x, window = 2) {
  const [channels, side] = x.shape, size = Math.floor(side / window);
  const data = new Float32Array(channels * size * size).fill(-Infinity);
  for (let c = 0; c < channels; c += 1) {
    for (let y = 0; y < size * window; y += 1) {
      for (let z = 0; z < size * window; z += 1) {
        const place = (c * size + Math.floor(y / window)) * size + Math.floor(z / window);
        data[place] = Math.max(data[place], x.data[(c * side + y) * side + z]);
      }
    }
  }
  return { shape: [channels, size, size], data };
}

export const relu = (x) => x.map((value) => Math.max(0, value));

/** Probabilities from logits. */
export function softmax(logits) {
  const most = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp(logit - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

export const largest = (values) => values.indexOf(Math.max(...values));
