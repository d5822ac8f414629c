"use strict";
// The map: observations at one place are one mark; an obscured one is the cell it lies in; many are counted.

const MARKS_AT_MOST = 1500; // in view; above that they are gathered in a grid
const GATHER = 64; // pixels
const CELL = 0.2; // degrees
const SMALLEST_CELL = 10; // pixels: a cell seen from far is drawn larger than it is, or it could not be seen
const LISTED = 8; // observations in a popup

class ObservationMap {
  constructor(land, basemap) {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.map = L.map("map", {
      preferCanvas: true,
      attributionControl: false,
      zoomSnap: 0.25,
      minZoom: 0,
      maxZoom: 18,
      fadeAnimation: false,
      zoomAnimation: !still,
      inertia: !still,
      center: [20, 0],
      zoom: 1,
    });
    L.control.scale({ position: "bottomright" }).addTo(this.map);
    this.ground = new Ground(this.map, land, basemap);
    this.inset = new Inset(this.map, land);
    this.marks = L.layerGroup().addTo(this.map);
    this.places = [];
    this.addShowAll();
    this.map.on("moveend", () => this.draw());
    this.map.getContainer().addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target === event.currentTarget) this.openNearest();
    });
    this.ground.draw();
    this.inset.draw();
  }

  addShowAll() {
    const button = element("button", { type: "button", class: "show-all" }, "Show all");
    const control = L.control({ position: "topright" });
    control.onAdd = () => button;
    control.addTo(this.map);
    L.DomEvent.disableClickPropagation(button);
    button.addEventListener("click", () => this.fit());
  }

  show(records) {
    const places = new Map();
    for (const record of records) {
      if (record.latitude === null) continue;
      const key = `${record.latitude} ${record.longitude} ${record.obscured}`;
      const place = places.get(key) ?? { ...middle(record), obscured: record.obscured, corner: record, records: [] };
      place.records.push(record);
      places.set(key, place);
    }
    this.places = [...places.values()];
    const drawn = this.places.reduce((sum, place) => sum + place.records.length, 0);
    this.map.getContainer().dataset.shown = drawn;
    const without = records.length - drawn;
    byId("map-note").textContent = without ? `${plural(without, "observation")} without coordinates.` : "";
    this.draw();
  }

  fit() {
    if (!this.places.length) return;
    const bounds = L.latLngBounds(this.places.flatMap((p) => (p.obscured ? corners(p.corner) : [[p.latitude, p.longitude]])));
    this.map.fitBounds(bounds, { padding: [30, 30], maxZoom: 14, animate: false });
  }

  // Where a filter leaves nothing in view, the view goes to what is left.
  fitIfEmpty() {
    const bounds = this.map.getBounds();
    if (!this.places.some((place) => bounds.contains([place.latitude, place.longitude]))) this.fit();
  }

  draw() {
    const bounds = this.map.getBounds().pad(0.2);
    const inView = this.places.filter((place) => bounds.contains([place.latitude, place.longitude]));
    const many = inView.length > MARKS_AT_MOST;
    const cellsToo = this.pixelsOfCell() < SMALLEST_CELL;
    const gathered = many ? inView.filter((place) => cellsToo || !place.obscured) : [];
    const single = many ? inView.filter((place) => !cellsToo && place.obscured) : inView;
    this.marks.clearLayers();
    // Cells first: a point that lies in one stays on top.
    for (const place of single.sort((a, b) => b.obscured - a.obscured)) this.marks.addLayer(this.mark(place));
    for (const heap of this.gather(gathered)) this.marks.addLayer(this.heapMark(heap));
    this.drawLegend(single, gathered);
  }

  pixelsOfCell() {
    return (CELL / 360) * 256 * 2 ** this.map.getZoom();
  }

  gather(places) {
    const heaps = new Map();
    for (const place of places) {
      const { x, y } = this.map.project([place.latitude, place.longitude]);
      const key = `${Math.floor(x / GATHER)} ${Math.floor(y / GATHER)}`;
      const heap = heaps.get(key) ?? { count: 0, x: 0, y: 0 };
      const n = place.records.length;
      heaps.set(key, { count: heap.count + n, x: heap.x + x * n, y: heap.y + y * n });
    }
    return heaps.values();
  }

  heapMark(heap) {
    const at = this.map.unproject([heap.x / heap.count, heap.y / heap.count]);
    const side = Math.round(Math.min(GATHER - 4, 24 + 8 * Math.log10(heap.count)));
    const html = element("span", { title: plural(heap.count, "observation") }, shortCount(heap.count));
    const icon = L.divIcon({ html, className: "heap", iconSize: [side, side] });
    const mark = L.marker(at, { icon, keyboard: false });
    return mark.on("click", () => this.map.setView(at, Math.min(this.map.getZoom() + 2, 18)));
  }

  mark(place) {
    const shape = place.obscured ? this.cell(place) : this.point(place);
    shape.bindPopup(() => popup(place), { maxWidth: 280 });
    return shape.bindTooltip(() => element("span", {}, tooltip(place)), { sticky: true });
  }

  point(place) {
    const { records } = place;
    const paint = color(records[0].grade.color);
    const radius = Math.min(11, 5 + 2 * Math.log10(records.length));
    return L.circleMarker([place.latitude, place.longitude], {
      radius, weight: 1.5, color: color("mark-edge"), fillColor: paint, fillOpacity: 0.9,
    });
  }

  cell(place) {
    const [southWest, northEast] = corners(place.corner).map((corner) => this.map.project(corner));
    const least = Math.max(0, (SMALLEST_CELL - this.pixelsOfCell()) / 2);
    const bounds = [southWest.add([-least, least]), northEast.add([least, -least])].map((p) => this.map.unproject(p));
    return L.rectangle(L.latLngBounds(bounds), {
      weight: 1.5, color: color("cell"), fillColor: color("cell"), dashArray: least ? null : "5 4",
      fillOpacity: Math.min(0.22, 0.08 + 0.03 * Math.log2(place.records.length)),
    });
  }

  // For whoever has no pointer: what is nearest to the middle of the map.
  openNearest() {
    const center = this.map.getCenter();
    const where = (mark) => mark.getLatLng?.() ?? mark.getBounds().getCenter();
    const far = (mark) => this.map.distance(where(mark), center);
    const [nearest] = this.marks.getLayers().sort((a, b) => far(a) - far(b));
    const told = nearest?.getPopup();
    if (told) {
      nearest.openPopup();
      told.getElement().querySelector(".popup a").focus();
    } else nearest?.fire("click"); // a heap: the map goes closer
  }

  drawLegend(single, gathered) {
    const entry = (kind, text) => element("li", {}, element("span", { class: `dot ${kind}` }), text);
    const grades = [...new Set(single.filter((p) => !p.obscured).map((p) => p.records[0].grade))];
    const entries = grades.sort((a, b) => a.rank - b.rank).map((grade) => entry(grade.color, grade.label));
    if (gathered.length) entries.push(entry("heap-dot", "a number: so many observations; zoom in to see each"));
    if (single.some((p) => p.obscured)) entries.push(entry("cell-dot", "obscured: somewhere in this cell"));
    if (gathered.some((p) => p.obscured)) entries.push(entry("cell-dot", "obscured ones count at the middle of their cell"));
    byId("legend").replaceChildren(...entries);
  }

  recolor() {
    this.ground.recolor();
    this.inset.recolor();
    this.draw();
  }
}

function middle({ latitude, longitude, obscured }) {
  const half = obscured ? CELL / 2 : 0;
  return { latitude: latitude + half, longitude: longitude + half };
}

function corners({ latitude, longitude }) {
  return [[latitude, longitude], [latitude + CELL, longitude + CELL]];
}

function shortCount(n) {
  return n < 1000 ? String(n) : n < 10000 ? `${(n / 1000).toFixed(1)}k` : `${Math.round(n / 1000)}k`;
}

function tooltip({ records, obscured }) {
  const what = records.length === 1 ? records[0].taxon.label : plural(records.length, "observation");
  return obscured ? `${what}, somewhere in this cell` : what;
}

function popup({ records, obscured }) {
  const entries = records.slice(0, LISTED).map((record) =>
    element("li", {},
      linkToObservation(record, ...names(record.taxon)), element("br"),
      `${dateText(record.day)}, ${record.observer.label}`));
  const more = records.length > LISTED ? [element("p", {}, `and ${count(records.length - LISTED)} more`)] : [];
  const cell = obscured ? [element("p", {}, "Obscured: the true place is somewhere in this cell.")] : [];
  return element("div", { class: "popup" }, ...cell, element("ul", {}, ...entries), ...more);
}
