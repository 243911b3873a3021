// Guesses: their forms, and beside the finding what the reader guessed and what was recorded.
import { element, keep, read, warning } from "./keep.js";

/** A number as the recorded one is written, with as many decimals at most. */
function written(number, guess, unit = guess.unit) {
  const digits = Math.max(2, (guess.recorded.match(/\.(\d+)/)?.[1] ?? "").length);
  const text = number.toLocaleString("en", { maximumFractionDigits: digits }).replace("-", "−");
  return unit ? `${text}\u00a0${unit}` : text;
}

/** How far a number is from the recorded one, in words. */
export function distance(guess, kept) {
  const off = Math.abs(kept.value - guess.value);
  return written(off, guess, guess.unit === "%" ? "points" : guess.unit);
}

/** Whether a kept guess counts as near: the right choice, or within a tenth of the range that was asked. */
export function near(guess, kept) {
  if (!("unit" in guess)) return kept.value === guess.value;
  return Math.abs(kept.value - guess.value) <= (guess.high - guess.low) / 10;
}

/** One sentence: the guess beside what was recorded. */
export function compared(guess, kept) {
  if ("unit" in guess) {
    const recorded = guess.recorded.replaceAll(" ", "\u00a0");
    const off = kept.value === guess.value ? "Exactly right." : `You were off by ${distance(guess, kept)}.`;
    return `You guessed ${written(kept.value, guess)}; recorded: ${recorded}. ${off}`;
  }
  const sure = kept.sure ? `, ${kept.sure} % sure` : "";
  return near(guess, kept) ? `You guessed right${sure}: ${kept.text}` : `You guessed${sure}: ${kept.text} Recorded: ${kept.recorded}`;
}

function ask(box) {
  const guess = JSON.parse(box.dataset.guess);
  const number = "unit" in guess;
  const form = box.querySelector("form");
  const button = form.querySelector("button");
  const status = form.querySelector("[role=status]");
  const choices = [...form.querySelectorAll("li")].map((item) => item.textContent.trim());
  const question = box.querySelector(":scope > p:not(.admonition-title)").textContent;
  button.disabled = false;

  const show = (kept, words = "Kept.") => {
    status.textContent = kept.opened ? "This was your guess." : `${words} It waits for you at the finding below.${warning}`;
    if (kept.opened) for (const control of form.elements) control.disabled = true;
  };
  const kept = read(`guess/${guess.key}`);
  if (kept && (number || choices[kept.value] === kept.text)) {
    if (number) form.elements.value.value = kept.value;
    else form.querySelectorAll("input")[kept.value].checked = true;
    if (kept.sure) form.elements.sure.value = kept.sure;
    show(kept);
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = new FormData(form);
    const fresh = { value: Number(given.get("value")), at: new Date().toISOString().slice(0, 10) };
    if (!number) Object.assign(fresh, { text: choices[fresh.value], recorded: choices[guess.value], sure: Number(given.get("sure")) });
    keep(`guess/${guess.key}`, fresh);
    const text = number ? written(fresh.value, guess) : fresh.text;
    show(fresh, `Kept: ${text}${/[.?!]$/.test(text) ? "" : "."}`);
  });
  return { guess, show, question };
}

/** A line with both numbers at their places. The sentence above says the same. */
function scale(guess, kept) {
  const place = (value) => `left: ${(100 * (value - guess.low)) / (guess.high - guess.low)}%`;
  const marks = [element("i", { class: "you", style: place(kept.value) }), element("i", { class: "recorded", style: place(guess.value) })];
  return element("div", { class: "scale", "aria-hidden": "true" }, ...marks);
}

const asked = new Map([...document.querySelectorAll("div.guess")].map((box) => [box.id, ask(box)]));

for (const finding of document.querySelectorAll("details.finding[data-answers]")) {
  const beside = element("div", { class: "beside", role: "status" });
  finding.querySelector("summary").after(beside);
  finding.addEventListener("toggle", () => {
    if (!finding.open) return;
    beside.replaceChildren();
    const answers = finding.dataset.answers.split(" ").map((id) => asked.get(id));
    for (const { guess, show, question } of answers) {
      if (answers.length > 1) beside.append(element("p", { class: "asked" }, question));
      const kept = read(`guess/${guess.key}`);
      if (!kept) {
        beside.append(element("p", {}, "You opened this without a guess."));
        continue;
      }
      keep(`guess/${guess.key}`, { ...kept, opened: true });
      show({ ...kept, opened: true });
      beside.append(element("p", {}, compared(guess, kept)));
      if ("unit" in guess) beside.append(scale(guess, kept));
    }
  });
}
