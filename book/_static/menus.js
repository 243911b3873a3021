// The menus of a page's header: a click opens one, a second click, a click elsewhere or Escape closes it.
{
  const BUTTONS = "[data-bs-toggle=dropdown]";

  function show(button, open) {
    button.setAttribute("aria-expanded", open);
    button.nextElementSibling.classList.toggle("show", open);
  }

  document.addEventListener("click", (event) => {
    const clicked = event.target.closest(BUTTONS);
    for (const button of document.querySelectorAll(BUTTONS)) {
      show(button, button === clicked && button.getAttribute("aria-expanded") !== "true");
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const button of document.querySelectorAll(`${BUTTONS}[aria-expanded=true]`)) {
      show(button, false);
      button.focus();
    }
  });
}
