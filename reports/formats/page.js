"use strict";
// Sorts and filters the comparison table. The rows and all words are in the page already: without this script the
// table is simply there. A cell's data-value is what it is sorted by; of a factor, it is the place of its level.
(() => {
  const root = document.getElementById("comparison");
  if (!root) return;
  const [head, filters] = root.querySelector("thead").rows;
  const body = root.querySelector("tbody");
  const box = root.querySelector(".box");
  const search = root.querySelector("input");
  const count = root.querySelector("output");
  const selects = Array.from(filters.cells, (cell) => cell.querySelector("select"));
  const rows = Array.from(body.rows, (row, place) => ({
    row,
    place,
    values: Array.from(row.cells, (cell) => cell.dataset.value),
    text: Array.from(row.cells, (cell) => cell.textContent).join("\n").toLowerCase(),
  }));
  let sorted = { column: -1, order: "none" };

  function compare(one, other) {
    const sign = sorted.order === "descending" ? -1 : 1;
    const first = one.values[sorted.column];
    const second = other.values[sorted.column];
    if (first === undefined || second === undefined) {
      // What has no value stands last, whichever way the others go.
      return (first === undefined) - (second === undefined) || one.place - other.place;
    }
    return sign * (first - second) || one.place - other.place;
  }

  function sort(column, order) {
    sorted = { column, order };
    Array.from(head.cells, (cell, place) => cell.setAttribute("aria-sort", place === column ? order : "none"));
    const ordered = order === "none" ? rows : [...rows].sort(compare);
    const fragment = document.createDocumentFragment();
    for (const { row } of ordered) fragment.append(row);
    body.append(fragment);
    box.scrollTop = 0;
  }

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = selects.map((select) => (select ? select.value : ""));
    let shown = 0;
    for (const { row, values, text } of rows) {
      const fits =
        words.every((word) => text.includes(word)) &&
        wanted.every((level, column) => level === "" || values[column] === level);
      row.hidden = !fits;
      shown += fits;
    }
    const total = rows.length;
    count.textContent = root.dataset.count.replace("{shown}", shown).replace("{total}", total);
    root.classList.toggle("filtered", shown < total);
  }

  function reset() {
    search.value = "";
    for (const select of selects) if (select) select.value = "";
    sort(-1, "none");
    filter();
    search.focus();
  }

  Array.from(head.cells, (cell, column) => {
    const button = document.createElement("button");
    button.type = "button";
    // The places where a long name may break are no blanks when it is read aloud.
    button.ariaLabel = cell.textContent;
    button.append(...cell.childNodes);
    cell.append(button);
    const following = { none: "ascending", ascending: "descending", descending: "none" };
    button.addEventListener("click", () => sort(column, following[cell.getAttribute("aria-sort")]));
  });
  search.addEventListener("input", filter);
  for (const select of selects) if (select) select.addEventListener("change", filter);
  root.querySelector(".reset").addEventListener("click", reset);
  root.querySelector(".controls").hidden = false;
  filters.hidden = false;
  sort(-1, "none");
  filter();
})();
