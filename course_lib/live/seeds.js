// Draw seeds from recorded runs of two networks: how often does the one win that is worse over all of them?
import { drawPlaces, generator, interval, mean, shares, undecided } from "./draws.js";
import { button, element, menu, slider, status, surface } from "./frame.js";

const WIDTH = 310, MARGIN = 12, DOT = 3.6;
const STYLE = `
.live .below { margin-top: 0.7rem; }
.live select { max-width: 100%; min-width: 0; }
.live .verdict { min-height: 5.8em; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.holds { position: relative; }
`;

const signed = (value, digits = 1) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;

/** A share in percent: two digits, and never 0 % or 100 % for what does happen, or may fail to. */
export function percent(share) {
  const value = 100 * share;
  if (share > 0 && value < 0.01) return "less than 0.01\u00a0%";
  if (share < 1 && value > 99.99) return "more than 99.99\u00a0%";
  return `${value < 10 ? Number(value.toPrecision(2)) : value < 99 ? Math.round(value) : Number(value.toFixed(2))}\u00a0%`;
}

/** Two networks with runs of the same seeds: which is worse over all, and how often it wins. At most half are drawn. */
export function compare({ label, about, names, seeds, errors }) {
  const means = errors.map(mean), worse = means[1] >= means[0] ? 1 : 0;
  const differences = seeds.map((_, place) => errors[worse][place] - errors[1 - worse][place]);
  const most = Math.max(1, Math.min(20, Math.floor(seeds.length / 2)));
  return { label, about, names, seeds, errors, means, worse, differences, most, shares: shares(differences, most) };
}

export default async function seeds({ options }) {
  if (options.pairs.length === 0) throw new Error("the records of its study are not published yet");
  const pairs = options.pairs.map(compare), random = generator(options.seed);
  for (const pair of pairs) pair.undecided = pair.shares.map((_, place) => undecided(pair.differences, place + 1, options.quantiles, generator(options.seed)));
  const state = { pair: pairs[options.start] ?? pairs[0], n: options.n, drawn: [], draws: 0, wins: 0, undecided: 0 };

  const dots = surface(WIDTH, 214, "", drawDots), apart = surface(WIDTH, 138, "", drawApart), chart = surface(WIDTH, 230, "", drawShares);
  const verdict = element("p", { class: "verdict" }), tally = element("p", {}), odds = element("p", {}), over = element("p", {}), about = element("p", { class: "quiet" });
  const said = status();

  const best = () => state.pair.names[1 - state.pair.worse], worst = () => state.pair.names[state.pair.worse];
  const chosen = (values) => state.drawn.map((place) => values[place]);

  /** Dots on a line, piled up where they would overlap: how high each one lies. */
  function piled(places) {
    const heights = [];
    places.forEach((x, i) => {
      const near = places.slice(0, i).flatMap((other, j) => (Math.abs(other - x) < 2 * DOT ? [heights[j]] : []));
      let height = 0;
      while (near.includes(height)) height += 1;
      heights.push(height);
    });
    return heights;
  }

  function mark(context, kind, x, y, size) {  // the first network's runs are discs, the second's are diamonds
    context.beginPath();
    if (kind === 0) context.arc(x, y, size, 0, 2 * Math.PI);
    else for (const [dx, dy] of [[0, -1.25], [1.25, 0], [0, 1.25], [-1.25, 0]]) context.lineTo(x + dx * size, y + dy * size);
    context.closePath();
  }

  function put(context, words, x, y, align, colour) {
    context.fillStyle = colour;
    context.textAlign = align;
    context.fillText(words, x, y);
  }

  function stroke(context, colour, width, ...points) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    for (const [x, y] of points) context.lineTo(x, y);
    context.stroke();
  }

  /** A scale below a drawing: `at` maps numbers to places. */
  function scale(context, colours, [low, high], y, title) {
    const at = (value) => MARGIN + ((value - low) / (high - low)) * (WIDTH - 2 * MARGIN);
    const step = [5, 10, 20, 25, 50, 100, 200, 500, 1000, 2000, 5000].find((one) => (high - low) / one <= 6) ?? high - low;
    stroke(context, colours.quiet, 1, [MARGIN, y + 0.5], [WIDTH - MARGIN, y + 0.5]);
    for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step) {
      stroke(context, colours.quiet, 1, [at(tick), y], [at(tick), y + 4]);
      put(context, String(tick).replace("-", "−"), at(tick), y + 18, "center", colours.quiet);
    }
    put(context, title, WIDTH / 2, y + 36, "center", colours.quiet);
    return at;
  }

  function drawDots(context, colours) {
    const { errors, names } = state.pair, all = errors.flat(), pad = Math.max(2, 0.04 * (Math.max(...all) - Math.min(...all)));
    const at = scale(context, colours, [Math.min(...all) - pad, Math.max(...all) + pad], 174, `test errors, of ${options.images.toLocaleString("en")} digits`);
    errors.forEach((own, row) => {
      const y = 70 + 86 * row, colour = row ? colours.orange : colours.blue, order = own.map((_, place) => place).sort((a, b) => own[a] - own[b]);
      const heights = piled(order.map((place) => at(own[place])));
      put(context, names[row], MARGIN, y - 54, "left", colours.ink);
      for (const late of [false, true]) {  // the drawn ones last, so that none is covered
        order.forEach((place, i) => {
          if (state.drawn.includes(place) !== late) return;
          mark(context, row, at(own[place]), y - heights[i] * 2 * DOT, late ? 1.5 * DOT : DOT);
          context.fillStyle = late ? colour : colours.line;
          context.fill();
          context.strokeStyle = colours.paper;
          context.lineWidth = 1;
          context.stroke();
        });
      }
      const middle = mean(chosen(own)), words = state.n === 1 ? `drawn: ${middle}` : `mean of the ${state.n} drawn: ${middle.toFixed(1)}`;
      stroke(context, colour, 2.5, [at(middle), y + 8], [at(middle), y - 40]);
      put(context, words, WIDTH - MARGIN, y - 54, "right", colour);
    });
  }

  function drawApart(context, colours) {
    context.translate(0, 10);  // away from the scale above
    const { differences } = state.pair, own = chosen(differences), { middle, half } = interval(own, options.quantiles);
    const far = 1.08 * Math.max(...differences.map(Math.abs)), at = scale(context, colours, [-far, far], 88, `more errors of the worse network, by seed`);
    const reach = (value) => Math.min(WIDTH - 2, Math.max(2, at(value)));
    stroke(context, colours.ink, 1, [at(0), 15], [at(0), 88]);
    const heights = piled(differences.map(at));
    for (const late of [false, true]) {
      differences.forEach((value, place) => {
        if (state.drawn.includes(place) !== late) return;
        context.beginPath();
        context.arc(at(value), 78 - heights[place] * 2 * DOT, late ? 1.4 * DOT : DOT, 0, 2 * Math.PI);
        context.fillStyle = late ? colours.purple : colours.line;
        context.fill();
        context.strokeStyle = colours.paper;
        context.stroke();
      });
    }
    const words = half === null ? `drawn: ${signed(middle, 0)}` : "mean and 95 % interval", wide = context.measureText(words).width / 2;
    const clear = Math.min(WIDTH - 2 - wide, Math.max(2 + wide, at(middle)));
    put(context, words, clear, 11, "center", colours.purple);
    if (half === null) return;
    stroke(context, colours.purple, 3, [reach(middle - half), 22], [reach(middle + half), 22]);
    for (const end of [middle - half, middle + half]) if (Math.abs(end) < far) stroke(context, colours.purple, 3, [at(end), 16], [at(end), 28]);
    context.beginPath();
    context.arc(at(middle), 22, 5, 0, 2 * Math.PI);
    context.fillStyle = colours.purple;
    context.fill();
  }

  /** Bars: how often the worse network wins. Circles: how often the interval contains 0. */
  function drawShares(context, colours) {
    const { shares: all, undecided: open, most } = state.pair, [x, y, width, height] = [46, 52, WIDTH - 56, 130];
    const each = width / most, middle = (place) => x + (place + 0.5) * each, top = (share) => y + height * (1 - share);
    for (const share of [0, 0.25, 0.5, 0.75, 1]) {
      stroke(context, share ? colours.line : colours.quiet, 1, [x, top(share)], [x + width, top(share)]);
      put(context, `${100 * share} %`, x - 6, top(share) + 5, "right", colours.quiet);
    }
    put(context, "of draws", x - 40, 36, "left", colours.quiet);
    put(context, "■ the worse network wins", x + width, 14, "right", colours.red);
    put(context, "○ the interval contains 0", x + width, 36, "right", colours.purple);
    all.forEach(({ below }, place) => {
      const now = place + 1 === state.n;
      context.fillStyle = colours.red;
      context.fillRect(x + (place + 0.2) * each, top(below), 0.6 * each, below * height);
      if (most <= 10 || now || (Math.abs(place + 1 - state.n) > 1 && (place === 0 || (place + 1) % 5 === 0))) {
        put(context, String(place + 1), middle(place), y + height + 20, "center", now ? colours.ink : colours.quiet);
      }
      if (now) stroke(context, colours.ink, 2, [middle(place) - 6, y + height + 25], [middle(place) + 6, y + height + 25]);
    });
    const points = open.flatMap((share, place) => (share === null ? [] : [[middle(place), top(share)]]));
    stroke(context, colours.purple, 1.5, ...points);
    points.forEach(([across, up]) => {
      mark(context, 0, across, up, Math.abs(across - middle(state.n - 1)) < 1 ? 5 : 3.2);
      context.fillStyle = colours.paper;
      context.fill();
      context.strokeStyle = colours.purple;
      context.lineWidth = 2;
      context.stroke();
    });
    put(context, "seeds drawn", x + width / 2, y + height + 42, "center", colours.quiet);
  }

  function show() {
    const { pair, n } = state, own = chosen(pair.differences);
    const { middle, half } = interval(own, options.quantiles), share = pair.shares[n - 1], open = pair.undecided[n - 1], digits = n > 1 ? 1 : 0;
    const winner = middle < 0 ? worst() : best(), order = middle < 0 ? [pair.worse, 1 - pair.worse] : [1 - pair.worse, pair.worse];
    const [fewer, more] = order.map((row) => mean(chosen(pair.errors[row])).toFixed(digits)), average = n > 1 ? " on average" : "";
    const won = middle === 0
      ? `Both networks have ${fewer} errors${average} in this draw.`
      : `${winner} wins this draw${middle < 0 ? ", although it is the worse network" : ""}: ${fewer} against ${more} errors${average}.`;
    const range = half === null
      ? "One pair of runs has no spread, so there is no interval."
      : `The 95\u00a0% interval of the difference is ${signed(middle)}\u00a0±\u00a0${half.toFixed(1)} errors. It ${Math.abs(middle) <= half ? "contains 0: these seeds do not decide." : `leaves 0 out. ${winner} counts as better.`}`;
    verdict.textContent = `${won} ${range}`;
    tally.textContent = state.draws === 0
      ? `We picked this draw${middle < 0 ? ", because it misleads" : ""}. Draw your own.`
      : `You have drawn ${state.draws} time${state.draws === 1 ? "" : "s"} with ${n} seed${n === 1 ? "" : "s"}: the worse network won ${state.wins} of ${state.draws}${n > 1 ? `, and the interval contained 0 in ${state.undecided}` : ""}.`;
    const ways = share.total.toLocaleString("en");
    odds.textContent = `With ${n} seed${n === 1 ? "" : "s"}, the worse network wins in ${share.below === 0 ? "none" : percent(share.below)} of all ${ways} possible draws from these ${pair.seeds.length} seeds.${open === null ? "" : ` The interval contains 0 in ${percent(open)} (of 4,000 random draws).`}`;
    over.textContent = `Over all ${pair.seeds.length} seeds, ${worst()} is the worse network, with ${pair.means[pair.worse].toFixed(1)} errors on average against ${pair.means[1 - pair.worse].toFixed(1)}.`;
    about.textContent = `Each run had ${pair.about}. A seed fixes the images and their order for both networks, so runs are compared in pairs.`;
    dots.canvas.setAttribute("aria-label", `Test errors of ${pair.seeds.length} runs of each network. Drawn: ${pair.names.map((name, row) => `${name} ${chosen(pair.errors[row]).join(", ")}`).join("; ")}.`);
    apart.canvas.setAttribute("aria-label", `Differences of the drawn pairs: ${own.map((value) => signed(value, 0)).join(", ")}.${half === null ? "" : ` Mean and 95 % interval: ${signed(middle)} ± ${half.toFixed(1)}.`}`);
    chart.canvas.setAttribute("aria-label", `How often the worse network wins, by number of seeds: ${pair.shares.map(({ below }, place) => `${place + 1}: ${percent(below)}`).join(", ")}. How often the interval contains 0: ${pair.undecided.slice(1).map((share, place) => `${place + 2}: ${percent(share)}`).join(", ")}.`);
    go.textContent = `Draw ${n} seed${n === 1 ? "" : "s"}`;
    said(`${verdict.textContent} ${tally.textContent}`);
    for (const { redraw } of [dots, apart, chart]) redraw();
  }

  function draw(times) {
    for (let time = 0; time < times; time += 1) {
      state.drawn = drawPlaces(state.pair.seeds.length, state.n, random);
      const { middle, half } = interval(chosen(state.pair.differences), options.quantiles);
      state.draws += 1;
      state.wins += middle < 0;
      state.undecided += half !== null && Math.abs(middle) <= half;
    }
    show();
  }

  /** Begin with a draw that the worse network wins, if there is one that is not too rare. */
  function begin() {
    const { pair } = state;
    while (state.n > 1 && pair.shares[state.n - 1].below < 0.001) state.n -= 1;
    const found = pair.shares[state.n - 1].below >= 0.001;
    do state.drawn = drawPlaces(pair.seeds.length, state.n, random);
    while (found && mean(chosen(pair.differences)) >= 0);
    size.set(state.n);
    show();
  }

  const reset = (changes) => {
    Object.assign(state, { draws: 0, wins: 0, undecided: 0 }, changes);
    state.n = Math.min(state.n, state.pair.most);
    size.input.max = state.pair.most;
    size.set(state.n);
  };
  const size = slider("Seeds to draw, at most half", { min: 1, max: state.pair.most, value: state.n, write: (n) => `${n} of ${state.pair.seeds.length}` }, (n) => {
    reset({ n });
    draw(1);
  });
  const go = button("", () => draw(1));
  const which = menu("Compare", pairs.map(({ label }, place) => [place, label]), options.start, (place) => {
    reset({ pair: pairs[place], n: options.n });
    begin();
  });

  reset({});
  begin();
  return element(
    "div",
    {},
    element("style", {}, STYLE),
    which.element,
    over,
    element(
      "div",
      { class: "columns below" },
      element("div", {}, dots.canvas, apart.canvas),
      element(
        "div",
        { class: "holds" },
        size.element,
        element("div", { class: "row below" }, go, button("Draw 100 times", () => draw(100))),
        verdict,
        tally,
        element("div", { class: "hidden" }, said.element),
      ),
    ),
    element(
      "div",
      { class: "columns below" },
      element("div", {}, element("p", { class: "title" }, "How often a draw misleads, or does not decide"), chart.canvas),
      element("div", {}, odds, about),
    ),
  );
}
