// Two ways to bring digits to another side: `np.resize`, which refills a shape, and interpolation.

/** Image number `image` of np.resize(values, (…, side, side)): the values in the order of memory, over and over. */
export function refilled(values, side, image = 0) {
  const first = image * side * side;
  return Float32Array.from({ length: side * side }, (_, place) => values[(first + place) % values.length]);
}

/** Where np.resize took a pixel from: which of `count` digits of `from` × `from` pixels, and its row and column there. */
export function origin(side, image, row, column, from, count) {
  const place = image * side * side + row * side + column;
  const [within, number] = [place % from ** 2, Math.floor(place / from ** 2)];
  return { place, digit: number % count, row: Math.floor(within / from), column: within % from };
}

/** A square picture of `from` × `from` pixels enlarged to `side` × `side`, bilinear, as torch's interpolate does. */
export function enlarged(pixels, from, side) {
  const places = Array.from({ length: side }, (_, place) => {
    const at = Math.max(0, ((place + 0.5) * from) / side - 0.5), first = Math.min(from - 1, Math.floor(at));
    return { first, next: Math.min(from - 1, first + 1), share: at - first };
  });
  const result = new Float32Array(side * side);
  places.forEach((y, row) => {
    places.forEach((x, column) => {
      const across = (line) => pixels[line * from + x.first] * (1 - x.share) + pixels[line * from + x.next] * x.share;
      result[row * side + column] = across(y.first) * (1 - y.share) + across(y.next) * y.share;
    });
  });
  return result;
}
