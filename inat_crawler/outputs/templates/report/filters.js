"use strict";
// The filters: what they ask for, and which records answer to it.

const OFFERED = 1000; // names offered while one types; more make a browser slow, and can be typed all the same
const AT_ONCE = 20000; // records

class Filters {
  constructor(data, changed) {
    this.data = data;
    this.changed = changed;
    const offered = tally(data.records, (r) => r.taxon).slice(0, OFFERED);
    byId("taxa").append(...offered.map(([taxon]) => element("option", { value: taxon.label })));
    byId("grades").append(...data.grades.map((grade) => this.checkbox(grade)));
    const form = byId("form");
    form.addEventListener("input", () => this.soon());
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(() => this.changed()));
    if (matchMedia("(max-width: 760px)").matches) byId("filters").open = false;
  }

  // With many records a change takes half a second: not one at each letter.
  soon() {
    clearTimeout(this.waiting);
    if (this.data.records.length <= AT_ONCE) this.changed();
    else this.waiting = setTimeout(() => this.changed(), 250);
  }

  checkbox(grade) {
    const box = element("input", { type: "checkbox", name: "grade", value: grade.number, checked: "" });
    return element("label", {}, box, element("span", { class: `dot ${grade.color}` }), grade.label);
  }

  choose(taxon) {
    this.chosen = taxon;
    byId("species").value = taxon.label;
    this.changed();
  }

  matching() {
    const taxa = this.taxa();
    const from = this.day("from", 0);
    const to = this.day("to", Infinity);
    const grades = new Set([...document.querySelectorAll("[name=grade]:checked")].map((box) => Number(box.value)));
    const dated = from > 0 || to < Infinity;
    return this.data.records.filter(
      (r) => taxa.has(r.taxon) && grades.has(r.grade.number) && (!dated || (r.day && from <= r.day && r.day <= to)),
    );
  }

  // With a whole name that taxon and what is named after it, a genus with its species; else all names that hold it.
  taxa() {
    const wanted = byId("species").value.trim().toLowerCase();
    if (this.chosen?.search === wanted) return new Set([this.chosen]);
    const isName = this.data.taxa.some((taxon) => taxon.search === wanted);
    const belongs = (name) => name === wanted || name.startsWith(`${wanted} `);
    return new Set(this.data.taxa.filter(({ search }) => (isName ? belongs(search) : search.includes(wanted))));
  }

  day(id, otherwise) {
    const text = byId(id).value;
    return text ? Number(text.replaceAll("-", "")) : otherwise;
  }
}
