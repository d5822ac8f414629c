"use strict";
// Puts the page together: what the filters let through is shown by map, charts, tables and gallery alike.

const data = readData();
const filters = new Filters(data, () => {
  show();
  map.fitIfEmpty();
});
const map = new ObservationMap(block("land"), block("basemap"));
const charts = new Charts(data);
const species = speciesTable(data, (taxon) => {
  filters.choose(taxon);
  byId("observations").scrollIntoView();
});
const observers = observersTable();
const gallery = new Gallery(data);

function show() {
  const records = filters.matching();
  byId("count").textContent = `${count(records.length)} of ${plural(data.records.length, "observation")} shown`;
  map.show(records);
  charts.show(records);
  species.show(tally(records, (record) => record.taxon));
  observers.show(tally(records, (record) => record.observer));
  gallery.show(records);
}

show();
map.fit();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  map.recolor();
  charts.recolor();
});
