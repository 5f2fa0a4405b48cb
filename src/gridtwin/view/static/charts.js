"use strict";
/* Draws the curves of one part of a run with plotly; the tables below each chart tell the same without. */

const COLOURS = ["#0a5c8a", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c6d31", "#6b7280"];

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
      margin: { l: 55, r: 10, t: 10, b: 35 }, showlegend: traces.length > 1, legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
      hovermode: "x unified", font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: "#1d2730" },
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
