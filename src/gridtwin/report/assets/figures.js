/* Draws figures from what `gridtwin.report.figure.payload` returns; used by the report and by the web page.

   gridtwin.draw(element, payload, settings)   draws into an element
   gridtwin.csv(payload)                       returns the table as CSV, as gridtwin.exports.sheets writes it
   gridtwin.table(element, payload, settings)  fills an element with the table
*/
(function () {
  "use strict";
  const DANGEROUS = /^[\s\x1c-\x1f\x85\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20|]|^[\t\r\n]/;
  const MOST_ROWS = 200;
  const DIGITS = 6;

  function values(column) {
    const held = column.values;
    if (Array.isArray(held)) return held;
    const bytes = Uint8Array.from(atob(held.bdata), (char) => char.charCodeAt(0)).buffer;
    if (held.dtype === "f4") return Array.from(new Float32Array(bytes), (value) => Number(value.toPrecision(DIGITS)));
    return Array.from(new Float64Array(bytes));
  }

  function instant(milliseconds) {
    return new Date(milliseconds).toISOString().slice(0, 19) + "Z";
  }

  function written(column, value) {
    if (value === null || Number.isNaN(value)) return "";
    return column.kind === "time" ? instant(value) : String(value);
  }

  function cell(text, isText) {
    const safe = isText && DANGEROUS.test(text) ? "'" + text : text;
    return /[",\r\n]/.test(safe) ? '"' + safe.replaceAll('"', '""') + '"' : safe;
  }

  function csv(payload) {
    const columns = payload.table;
    const rows = [columns.map((column) => cell(column.name, true))];
    if (columns.some((column) => column.unit)) rows.push(columns.map((column) => cell(column.unit, true)));
    const held = columns.map(values);
    for (let row = 0; row < (held[0] || []).length; row += 1) {
      rows.push(columns.map((column, place) => {
        const value = held[place][row];
        return cell(written(column, value), typeof value === "string");
      }));
    }
    return rows.map((row) => row.join(",") + "\r\n").join("");
  }

  function people(column, value) {
    if (value === null || Number.isNaN(value)) return "\u2013";
    if (typeof value === "string") return value;
    if (column.kind === "time") return instant(value).replace("T", " ").slice(0, 16);
    const digits = Math.abs(value) >= 1000 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 4 };
    return value.toLocaleString("en-US", digits).replace("-", "\u2212");
  }

  function element(name, text, parent) {
    const made = document.createElement(name);
    if (text !== null) made.textContent = text;
    parent.append(made);
    return made;
  }

  function table(target, payload, settings) {
    if (target.firstChild) return;
    const columns = payload.table;
    const held = columns.map(values);
    const made = element("table", null, target);
    const head = element("tr", null, element("thead", null, made));
    columns.forEach((column) => {
      const title = element("th", column.name, head);
      title.scope = "col";
      title.className = column.kind;
      if (column.unit) element("span", column.unit, title);
    });
    const body = element("tbody", null, made);
    const rows = (held[0] || []).length;
    for (let row = 0; row < Math.min(rows, MOST_ROWS); row += 1) {
      const line = element("tr", null, body);
      columns.forEach((column, place) => {
        element("td", people(column, held[place][row]), line).className = column.kind;
      });
    }
    if (rows > MOST_ROWS) {
      element("p", settings.rows.replace("{shown}", MOST_ROWS).replace("{rows}", rows.toLocaleString("en-US")), target);
    }
  }

  function config(settings) {
    const words = settings.buttons;
    return {
      displaylogo: false,
      responsive: true,
      modeBarButtonsToRemove: ["select2d", "lasso2d", "toggleSpikelines", "hoverClosestCartesian", "hoverCompareCartesian"],
      toImageButtonOptions: { format: "png", scale: 2 },
      showTips: false,
      locale: settings.lang === "zh" ? "zh-gridtwin" : "en-US",
      locales: {
        "zh-gridtwin": {
          moduleType: "locale",
          name: "zh-gridtwin",
          dictionary: {
            "Download plot as a png": words.download, "Download plot as a PNG": words.download, Zoom: words.zoom,
            Pan: words.pan, "Zoom in": words.zoom_in, "Zoom out": words.zoom_out, Autoscale: words.autoscale,
            "Reset axes": words.reset,
          },
          format: {
            days: ["星期日", "星期一", "星期二", "星期三", "星期四", "星期五", "星期六"],
            shortDays: ["周日", "周一", "周二", "周三", "周四", "周五", "周六"],
            months: ["一月", "二月", "三月", "四月", "五月", "六月", "七月", "八月", "九月", "十月", "十一月", "十二月"],
            shortMonths: ["1月", "2月", "3月", "4月", "5月", "6月", "7月", "8月", "9月", "10月", "11月", "12月"],
            date: "%Y-%m-%d",
          },
        },
      },
    };
  }

  /* Narrow screens: what would not fit beside a picture gives way. */
  function narrowed(layout, width) {
    if (width >= 560) return layout;
    const narrow = structuredClone(layout);
    narrow.margin = { ...narrow.margin, l: Math.min(narrow.margin.l, 46), r: 8 };
    narrow.font = { ...narrow.font, size: 11 };
    if (narrow.legend) narrow.legend.font = { size: 10 };
    if (narrow.yaxis && narrow.yaxis.scaleanchor) narrow.height = Math.round(width * 1.25);
    return narrow;
  }

  function draw(target, payload, settings) {
    const layout = narrowed(payload.layout, target.clientWidth);
    return Plotly.newPlot(target, payload.data, layout, { ...config(settings),
      toImageButtonOptions: { format: "png", scale: 2, filename: payload.name } });
  }

  function download(payload) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff", csv(payload)], { type: "text/csv;charset=utf-8" }));
    link.download = payload.name + ".csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  window.gridtwin = { csv, download, draw, table };
})();
