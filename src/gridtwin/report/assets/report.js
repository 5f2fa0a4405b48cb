/* The report: figures are drawn when they come near the screen, all of them when the page is printed. */
(function () {
  "use strict";
  const settings = JSON.parse(document.getElementById("settings").textContent);
  const figures = [...document.querySelectorAll("figure[data-figure]")];
  const payloads = new Map();
  const drawn = new Map();

  function payload(figure) {
    if (!payloads.has(figure)) {
      payloads.set(figure, JSON.parse(figure.querySelector("script[type='application/json']").textContent));
    }
    return payloads.get(figure);
  }

  function fill(figure) {
    gridtwin.table(figure.querySelector(".table"), payload(figure), settings);
  }

  function draw(figure) {
    if (!drawn.has(figure)) {
      if (figure.querySelector("details").open) fill(figure);
      drawn.set(figure, gridtwin.draw(figure.querySelector(".plot"), payload(figure), settings));
    }
    return drawn.get(figure);
  }

  function fit(width) {
    for (const figure of drawn.keys()) {
      const plot = figure.querySelector(".plot");
      if (width) Plotly.relayout(plot, { autosize: false, width });
      else Plotly.relayout(plot, { autosize: true, width: null });
    }
  }

  function show(run) {
    for (const part of document.querySelectorAll(".run")) part.hidden = part.id !== run;
    for (const button of document.querySelectorAll(".switch button")) {
      button.setAttribute("aria-pressed", String(button.dataset.run === run));
    }
    for (const figure of drawn.keys()) if (figure.offsetParent) Plotly.Plots.resize(figure.querySelector(".plot"));
  }

  gridtwin.drawAll = function () {
    for (const part of document.querySelectorAll(".run")) part.hidden = false;
    return Promise.all(figures.map(draw));
  };

  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting) {
        near.unobserve(entry.target);
        draw(entry.target);
      }
    }
  }, { rootMargin: "500px 0px" });

  for (const figure of figures) {
    near.observe(figure);
    figure.querySelector("button.csv").addEventListener("click", () => gridtwin.download(payload(figure)));
    figure.querySelector("details").addEventListener("toggle", () => fill(figure));
  }
  for (const button of document.querySelectorAll(".switch button")) {
    button.addEventListener("click", () => show(button.dataset.run));
  }
  let before = null;
  addEventListener("beforeprint", () => {
    before = [...document.querySelectorAll(".run")].find((part) => !part.hidden);
    gridtwin.drawAll();
    fit(680);
  });
  addEventListener("afterprint", () => {
    if (before) show(before.id);
    fit(null);
  });
})();
