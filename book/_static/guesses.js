// The page of one's own guesses: each beside what was recorded, what they add up to, export, delete.
import { compared, distance, near } from "./guess.js";
import { element, forget, lasting, read } from "./keep.js";

const rows = [...document.querySelectorAll("span[data-guess]")].map((place) => {
  const guess = JSON.parse(place.dataset.guess);
  return { own: place.nextElementSibling, guess, kept: read(`guess/${guess.key}`), question: place.textContent };
});
const kept = rows.filter((row) => row.kept);
const opened = kept.filter((row) => row.kept.opened);

for (const { own, guess, kept: mine } of kept) {
  own.textContent = mine.opened ? compared(guess, mine) : "You have guessed, and not opened the finding yet.";
}

function share(rows) {
  return `${rows.filter((row) => near(row.guess, row.kept)).length} of ${rows.length}`;
}

function summary() {
  if (!lasting) return [element("p", {}, "This browser lets no page keep anything, so there are no guesses to show.")];
  if (!opened.length) return [...document.querySelectorAll("#own-guesses > p")];
  const numbers = opened.filter((row) => "unit" in row.guess);
  const choices = opened.filter((row) => !("unit" in row.guess));
  const lines = [];
  if (numbers.length) lines.push(element("p", {}, `Numbers: ${share(numbers)} within a tenth of the range that the question allowed.`));
  if (choices.length) lines.push(element("p", {}, `Choices: ${share(choices)} right.`));
  const body = element("tbody");
  for (const percent of [50, 70, 90, 99]) {
    const said = choices.filter((row) => row.kept.sure === percent);
    if (said.length) body.append(element("tr", {}, element("th", { scope: "row" }, `${percent} %`), element("td", {}, share(said))));
  }
  if (body.children.length) {
    const head = ["You were so sure", "and so many were right"].map((text) => element("th", { scope: "col" }, text));
    lines.push(element("table", { class: "table" }, element("thead", {}, element("tr", {}, ...head)), body));
    lines.push(element("p", {}, "If you know how much you know, about 7 in 10 are right where you said 70 %."));
  }
  return lines;
}

function save(name, type, text) {
  const link = element("a", { download: name, href: URL.createObjectURL(new Blob([text], { type })) });
  link.click();
  URL.revokeObjectURL(link.href);
}

const table = () =>
  kept.map(({ guess, kept, question }) => ({
    guess: guess.key,
    question,
    guessed: kept.text ?? kept.value,
    unit: guess.unit ?? "",
    recorded: kept.opened ? (kept.recorded ?? guess.value) : "",
    off_by: kept.opened && "unit" in guess ? distance(guess, kept) : "",
    near: kept.opened ? near(guess, kept) : "",
    sure: kept.sure || "",
    date: kept.at,
  }));

// A spreadsheet would compute what begins with =, +, - or @: a space before it keeps it text.
const quoted = (value) => `"${String(value).replace(/^(?=[=+@]|-\D)/, " ").replaceAll('"', '""')}"`;

const actions = {
  "Save as CSV": () => {
    const lines = table();
    save("guesses.csv", "text/csv", [Object.keys(lines[0]), ...lines.map(Object.values)].map((line) => line.map(quoted).join(",")).join("\r\n"));
  },
  "Save as JSON": () => save("guesses.json", "application/json", JSON.stringify(table(), null, 1)),
  "Delete all": () => {
    if (!confirm("Delete your guesses and quiz answers from this browser? They are kept nowhere else.")) return;
    forget("guess/");
    forget("quiz/");
    location.reload();
  },
};

const buttons = Object.entries(actions).map(([text, act]) => {
  const button = element("button", { type: "button" }, text);
  button.addEventListener("click", act);
  return button;
});
const own = element("div", { class: "own-guesses" }, ...summary());
if (kept.length) own.append(element("p", { class: "ask" }, ...buttons));
document.getElementById("own-guesses").replaceChildren(own);
