"use strict";
/* Draws the curves of one part of a run with plotly; the tables below each chart tell the same without. */

const COLOURS = ["#0b5f83", "#d1702a", "#5c6875", "#2f8f5b", "#8a4f9e", "#b3261e", "#c9a227", "#4aa3c2"];

function times(content, count) {
  return Array.from({ length: count }, (_, step) => new Date((content.start_s + step * content.step_s) * 1000).toISOString().slice(0, 19));
}

async function draw(section) {
  const answer = await fetch(section.dataset.series);
  if (!answer.ok) return;
  const content = await answer.json();
  for (const place of section.querySelectorAll("[data-chart]")) {
    const chart = content.charts[Number(place.dataset.chart)];
    const x = times(content, chart.series[0].values.length);
    const traces = chart.series.map((curve, index) => ({
      type: "scatter", mode: "lines", name: plain(curve.name), x, y: curve.values,
      line: { shape: "hv", width: 1.4, color: COLOURS[index % COLOURS.length] },
      hovertemplate: "%{y:,.5~g}",
    }));
    const layout = {
      margin: { l: 55, r: 10, t: 10, b: 35 }, showlegend: traces.length > 1, legend: { orientation: "h", y: 1.15 },
      hovermode: "x unified", font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: "#1c2530" },
      xaxis: { gridcolor: "#edf0f3" }, yaxis: { gridcolor: "#edf0f3", zerolinecolor: "#d8dee5", title: { text: chart.unit === "1" ? "" : plain(chart.unit) } },
    };
    place.textContent = "";
    await Plotly.newPlot(place, traces, layout, { responsive: true, displaylogo: false, displayModeBar: false });
  }
}

/* plotly reads a few tags in labels; a name is to be shown as it is written */
function plain(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

document.querySelectorAll("[data-series]").forEach(draw);
