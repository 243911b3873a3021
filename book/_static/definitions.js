// A word of the glossary, or a paper: what it means stands in the link's title. Shown in a box that opens at once, for the
// keyboard and for a finger, too; Escape closes it. Without this script the browser shows the title itself.
{
  const box = document.createElement("div");
  box.id = "course-definition";
  box.setAttribute("role", "tooltip");
  box.hidden = true;
  let shown = null;
  let closing = 0;

  const close = () => {
    box.hidden = true;
    shown?.removeAttribute("aria-describedby");
    shown = null;
  };
  // A pointer may travel from the word into the box, to select its text.
  const closeSoon = () => {
    closing = setTimeout(close, 200);
  };
  const show = link => {
    clearTimeout(closing);
    if (shown === link) return;
    close();
    box.textContent = link.dataset.definition;
    document.body.append(box);
    box.hidden = false;
    const place = link.getClientRects()[0];
    const width = document.documentElement.clientWidth;
    const above = place.top - box.offsetHeight - 6;
    box.style.left = `${Math.min(Math.max(8, place.left), width - box.offsetWidth - 8) + scrollX}px`;
    box.style.top = `${(above > 60 ? above : place.bottom + 6) + scrollY}px`;
    link.setAttribute("aria-describedby", box.id);
    shown = link;
  };

  for (const link of document.querySelectorAll("article a.reference.internal[title]")) {
    if (!/\/?(glossary|references)\.html#/.test(link.getAttribute("href"))) continue;
    link.dataset.definition = link.title;
    link.removeAttribute("title");
    link.addEventListener("pointerenter", () => show(link));
    link.addEventListener("pointerleave", closeSoon);
    link.addEventListener("focus", () => show(link));
    link.addEventListener("blur", close);
  }
  box.addEventListener("pointerenter", () => clearTimeout(closing));
  box.addEventListener("pointerleave", closeSoon);
  document.addEventListener("keydown", event => {
    if (event.key === "Escape") close();
  });
}
