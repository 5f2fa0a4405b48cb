"use strict";
/* Comforts of every page. Nothing here is needed to read: lists, filters and tables are made by the server. */

for (const form of document.querySelectorAll("form[data-autosubmit]")) {
  form.addEventListener("change", (event) => {
    if (event.target.matches("select, input[type=checkbox]")) form.requestSubmit();
  });
}

for (const form of document.querySelectorAll("form[data-compare]")) {
  const button = form.querySelector("button");
  const told = form.querySelector("[data-picked]");
  const update = () => {
    const picked = form.querySelectorAll("input[name=run]:checked").length;
    button.disabled = picked < 2;
    told.textContent = picked < 2 ? "select two or more" : `${picked} selected`;
  };
  form.addEventListener("change", update);
  window.addEventListener("pageshow", update);
  update();
}

for (const form of document.querySelectorAll("form[data-slow]")) {
  form.addEventListener("submit", () => { form.querySelector("[data-slow-note]").hidden = false; });
}

function duration(seconds) {
  if (seconds === null || !Number.isFinite(seconds)) return "–";
  const whole = Math.round(seconds);
  const [d, h, min, s] = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60, whole % 60];
  const parts = [[d, "d"], [h, "h"], [min, "min"], [s, "s"]];
  const first = Math.max(0, parts.findIndex(([count]) => count));
  const shown = parts.slice(whole ? first : 3, whole ? first + 2 : 4).filter(([count, unit]) => count || unit === "s");
  return shown.map(([count, unit]) => `${count} ${unit}`).join(" ");
}

function watch(section) {
  const find = (name) => document.querySelector(`[data-${name}]`);
  const bar = section.querySelector("progress");
  const update = (told) => {
    bar.max = Math.max(told.planned, 1);
    bar.value = Math.min(told.windows, told.planned);
    find("windows").textContent = told.windows.toLocaleString("en");
    find("planned").textContent = told.planned.toLocaleString("en");
    if (find("remaining")) find("remaining").textContent = duration(told.remaining_s);
    const log = find("log");
    if (log && log.textContent !== told.log) {
      log.textContent = told.log;
      log.scrollTop = log.scrollHeight;
    }
    if (find("phase") && told.phase) {
      find("phase").textContent = told.phase;
      find("phase").className = `badge ${told.phase}`;
    }
    if (find("run") && told.run_id && !find("run").firstElementChild) {
      const link = document.createElement("a");
      link.href = `/runs/${encodeURIComponent(told.run_id)}`;
      link.textContent = told.run_id;
      find("run").replaceChildren(link);
    }
    return told.phase ? ["ended", "withdrawn"].includes(told.phase) : told.state !== "running";
  };
  const ask = async () => {
    let over = false;
    try {
      const answer = await fetch(section.dataset.progress, { cache: "no-store" });
      if (answer.ok) over = update(await answer.json());
    } catch (error) { /* the server may be busy or gone; the next question will tell */ }
    if (over) window.location.reload();
    else window.setTimeout(ask, 1000);
  };
  window.setTimeout(ask, 500);
}

document.querySelectorAll("[data-progress]").forEach(watch);
