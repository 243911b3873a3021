// On the site: each figure starts when the reader comes near it.
import { mount } from "./frame.js";

const seen = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      mount(target, target.dataset.figure, {
        load: async (file) => {
          const answer = await fetch(new URL(file, import.meta.url));
          if (!answer.ok) throw new Error(`${file}: ${answer.status}`);
          return answer.arrayBuffer();
        },
        module: (name) => new URL(`${name}.js`, import.meta.url).href,
        options: JSON.parse(target.dataset.options),
      });
    }
  },
  { rootMargin: "300px" },
);
for (const place of document.querySelectorAll("[data-figure]:not([data-live])")) {
  place.dataset.live = "waits";
  seen.observe(place);
}
