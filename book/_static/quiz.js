// Quiz questions: for the choice that was checked, what the folded answer says of it.
import { element, keep, read, warning } from "./keep.js";

const quiz = [...document.querySelectorAll("div.quiz")];
const key = `quiz/${quiz[0]?.dataset.quiz}`;
const first = read(key) ?? {};  // by question, of which a digest changes with its text: was the first answer right?
const score = element("p", { class: "quiz-score", role: "status" });
const again = element("button", { type: "button" }, "Start again");

function count() {
  const given = quiz.map((box) => first[box.dataset.question]).filter((right) => right !== undefined);
  const right = given.filter(Boolean).length;
  score.textContent = given.length ? `${right} of ${given.length} right at the first try, of ${quiz.length} questions.` : "";
  again.hidden = !given.length;
}

function ask(box) {
  const folded = box.querySelector(":scope > details");
  const answers = [...folded.querySelectorAll(":scope > ol > li")];
  const right = answers.findIndex((answer) => /^\s*Right\./.test(answer.textContent));

  const form = box.querySelector("form");
  const group = form.querySelector("fieldset");
  const status = form.querySelector(".answer");
  form.querySelector("button").disabled = false;
  folded.hidden = true;

  group.addEventListener("change", () => {
    status.replaceChildren();
    for (const label of group.querySelectorAll("label")) label.classList.remove("right", "wrong");
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const input = form.querySelector("input:checked");
    const chosen = Number(input.value);
    input.closest("label").classList.add(chosen === right ? "right" : "wrong");
    status.replaceChildren(...answers[chosen].cloneNode(true).childNodes);
    if (chosen !== right) (status.firstElementChild?.matches("p") ? status.firstElementChild : status).prepend(element("strong", {}, "Not this one. "));
    first[box.dataset.question] ??= chosen === right;
    keep(key, first);
    count();
  });
}

quiz.forEach(ask);
again.addEventListener("click", () => {
  keep(key, {});
  for (const question of Object.keys(first)) delete first[question];
  for (const box of quiz) {
    const form = box.querySelector("form");
    form.reset();
    form.querySelector("fieldset").dispatchEvent(new Event("change"));
  }
  count();
  quiz[0].querySelector("input").focus();
});
quiz.at(-1)?.after(element("div", { class: "quiz-end" }, score, again, warning && element("p", {}, warning.trim())));
count();
