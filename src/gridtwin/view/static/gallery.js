"use strict";
/* Draws figures as they come into sight, with the same script as the report. */

const settings = JSON.parse(document.getElementById("settings").textContent);

async function show(figure) {
  const answer = await fetch(figure.dataset.figure);
  if (answer.status === 204) {
    figure.remove();
    return;
  }
  const find = (what) => figure.querySelector(what);
  if (!answer.ok) {
    find("figcaption").textContent = `${answer.status} ${answer.statusText}`;
    return;
  }
  const payload = await answer.json();
  find("h3").textContent = payload.unit ? `${payload.title} (${payload.unit})` : payload.title;
  find("figcaption").textContent = payload.caption;
  find("[data-meta]").textContent = payload.sources.join(", ");
  await gridtwin.draw(find(".plot"), payload, settings);
  figure.dataset.drawn = payload.name;
}

const seen = new IntersectionObserver((entries) => {
  for (const entry of entries.filter((one) => one.isIntersecting)) {
    seen.unobserve(entry.target);
    show(entry.target);
  }
}, { rootMargin: "600px" });
document.querySelectorAll("[data-figure]").forEach((figure) => seen.observe(figure));
