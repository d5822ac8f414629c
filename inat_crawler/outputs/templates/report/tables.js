"use strict";
// Tables of things with their counts: species with a photo, and observers. A button in the head sorts.

class Counted {
  constructor(id, step, name, make) {
    this.table = byId(`${id}-table`);
    this.name = name;
    this.steps = new Steps(this.table.querySelector("tbody"), byId(`${id}-more`), step, make);
    this.order = "count";
    for (const button of this.table.querySelectorAll("[data-sort]")) {
      button.addEventListener("click", () => this.sort(button.dataset.sort));
    }
  }

  sort(order) {
    this.order = order;
    this.show(this.counts);
  }

  show(counts) {
    this.counts = counts;
    this.table.dataset.total = counts.length;
    const named = (a, b) => this.name(a[0]).localeCompare(this.name(b[0]), "en");
    const compare = { name: named, count: (a, b) => b[1] - a[1] || named(a, b) }[this.order];
    for (const button of this.table.querySelectorAll("[data-sort]")) {
      const sorted = button.dataset.sort === this.order;
      const direction = this.order === "name" ? "ascending" : "descending";
      button.closest("th").setAttribute("aria-sort", sorted ? direction : "none");
    }
    this.steps.show([...counts].sort(compare));
  }
}

// A row of a species: its newest photo, its name as a button that filters by it.
function speciesTable(data, choose) {
  const newest = new Map();
  for (const record of data.records) if (record.file && !newest.has(record.taxon)) newest.set(record.taxon, record);
  return new Counted("species", 12, (taxon) => taxon.name ?? "", ([taxon, n]) => {
    const button = element("button", { type: "button", class: "name", title: "Show only these" }, ...names(taxon));
    button.addEventListener("click", () => choose(taxon));
    const record = newest.get(taxon);
    const image = record ? photo(record, "") : "";
    const cells = [element("td", { class: "thumb" }, image), element("th", { scope: "row" }, button)];
    return element("tr", {}, ...cells, element("td", { class: "number" }, count(n)));
  });
}

function observersTable() {
  return new Counted("observers", 20, (observer) => observer.label, ([observer, n]) =>
    element("tr", {},
      element("th", { scope: "row" }, observer.label),
      element("td", { class: "number" }, count(n))));
}
