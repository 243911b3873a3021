// Draws of seeds from recorded runs: what a few of them say about two networks, and how often they mislead.

/** Numbers from 0 to 1 that depend on the seed only (Tommy Ettinger's mulberry32). */
export function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` different ones of the places 0 to `total` - 1, each set as likely as any other; in ascending order. */
export function drawPlaces(total, count, random) {
  const places = Array.from({ length: total }, (_, place) => place);
  for (let at = 0; at < count; at += 1) {
    const other = at + Math.floor(random() * (total - at));
    [places[at], places[other]] = [places[other], places[at]];
  }
  return places.slice(0, count).sort((a, b) => a - b);
}

export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Mean of paired differences, and half the width of its t interval, null for fewer than two pairs.
 * `quantiles[k]` is Student's t for k + 1 degrees of freedom.
 */
export function interval(differences, quantiles) {
  const middle = mean(differences), freedom = differences.length - 1;
  if (freedom < 1) return { middle, half: null };
  const variance = differences.reduce((sum, value) => sum + (value - middle) ** 2, 0) / freedom;
  return { middle, half: quantiles[freedom - 1] * Math.sqrt(variance / differences.length) };
}

/**
 * For each number n of pairs up to `most`, the shares of all sets of n in which the sum of the differences is below 0
 * (`below`) and equal to it (`equal`). Exact: sets are counted by their sum. `differences` are whole numbers.
 */
export function shares(differences, most) {
  const lowest = differences.reduce((sum, value) => sum + Math.min(0, value), 0);
  const highest = differences.reduce((sum, value) => sum + Math.max(0, value), 0);
  const counts = Array.from({ length: most + 1 }, () => new Float64Array(highest - lowest + 1));  // below 2⁵³: exact
  counts[0][-lowest] = 1;
  differences.forEach((value, seen) => {
    for (let n = Math.min(most, seen + 1); n > 0; n -= 1) {
      const from = counts[n - 1], to = counts[n];
      for (let at = Math.max(0, -value); at < from.length - Math.max(0, value); at += 1) to[at + value] += from[at];
    }
  });
  return counts.slice(1).map((row) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    const below = row.subarray(0, -lowest).reduce((sum, count) => sum + count, 0);
    return { below: below / total, equal: row[-lowest] / total, total };
  });
}

/** The share of `times` random draws of n pairs whose interval contains 0; null for n = 1, which has none. */
export function undecided(differences, n, quantiles, random, times = 4000) {
  if (n < 2) return null;
  let count = 0;
  for (let time = 0; time < times; time += 1) {
    const { middle, half } = interval(drawPlaces(differences.length, n, random).map((place) => differences[place]), quantiles);
    count += Math.abs(middle) <= half;
  }
  return count / times;
}
