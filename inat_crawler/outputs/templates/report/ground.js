"use strict";
// What lies below the observations on the map: land, an own basemap, and a grid of degrees with labels.

const LAND_UP_TO = 6; // zoom; from closer the outlines, simplified to 13 km, would put a shore in the wrong place
const STEPS = [90, 60, 30, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001];
const FEWEST_PIXELS = 90; // between two lines of the grid
const COVERED = 110; // pixels at the edges of the map where its controls lie
const INSET_FARTHER = 6; // zoom levels between the map and the small one in its corner

class Ground {
  constructor(map, land, basemap) {
    this.map = map;
    const pane = map.createPane("ground");
    pane.classList.add("ground");
    const renderer = L.canvas({ pane: "ground" });
    const style = () => ({ renderer, interactive: false, pane: "ground", ...landColors() });
    this.land = L.geoJSON(land, { style, pane: "ground", interactive: false });
    this.grid = L.layerGroup().addTo(map);
    this.renderer = renderer;
    this.own = basemap && this.ownLayer(basemap, renderer);
    map.on("zoomend moveend", () => this.draw());
  }

  // The user's own file: drawn if Leaflet can; points are circles, for marker images would have to be fetched.
  ownLayer(basemap, renderer) {
    const line = { renderer, interactive: false, pane: "ground", color: color("own"), weight: 1.5, fillOpacity: 0.08 };
    const pointToLayer = (_, at) => L.circleMarker(at, { ...line, radius: 3 });
    try {
      return L.geoJSON(basemap, { style: line, pointToLayer, pane: "ground", interactive: false }).addTo(this.map);
    } catch {
      byId("map-note").after(element("p", { class: "quiet" }, "basemap.geojson cannot be drawn."));
      return null;
    }
  }

  draw() {
    const far = this.map.getZoom() <= LAND_UP_TO;
    if (far !== this.map.hasLayer(this.land)) this.map[far ? "addLayer" : "removeLayer"](this.land);
    this.land.bringToBack();
    this.map.getContainer().classList.toggle("far", far);
    this.drawGrid();
  }

  recolor() {
    this.land.setStyle(landColors());
    this.own?.setStyle({ color: color("own") });
    this.draw();
  }

  drawGrid() {
    this.grid.clearLayers();
    const bounds = this.map.getBounds();
    const size = this.map.getSize();
    const perPixel = (bounds.getEast() - bounds.getWest()) / Math.max(size.x, 1);
    const step = STEPS.findLast((each) => each / perPixel >= FEWEST_PIXELS) ?? STEPS[0];
    const [west, east] = [Math.max(-180, bounds.getWest()), Math.min(180, bounds.getEast())];
    const [south, north] = [Math.max(-85, bounds.getSouth()), Math.min(85, bounds.getNorth())];
    for (const x of multiples(step, west, east)) {
      this.line([[-85, x], [85, x]]);
      this.label([south, x], degrees(x, "E", "W"), "below");
    }
    for (const y of multiples(step, south, north)) {
      this.line([[y, -180], [y, 180]]);
      this.label([y, west], degrees(y, "N", "S"), "beside");
    }
  }

  line(points) {
    const style = { renderer: this.renderer, pane: "ground", interactive: false, color: color("grid"), weight: 1 };
    this.grid.addLayer(L.polyline(points, style));
  }

  label(at, text, where) {
    const { x, y } = this.map.latLngToContainerPoint(at);
    const covered = where === "below" ? x > this.map.getSize().x - COVERED : y < COVERED;
    if (covered) return;
    const icon = L.divIcon({ html: element("span", {}, text), className: `degree ${where}`, iconSize: [0, 0] });
    this.grid.addLayer(L.marker(at, { icon, interactive: false, keyboard: false, pane: "overlayPane" }));
  }
}

// A small map of the region in the corner, with a frame around what the large one shows, where that has no land.
class Inset {
  constructor(map, land) {
    this.map = map;
    const box = element("div", { class: "inset", "aria-hidden": "true" });
    const corner = L.control({ position: "bottomright" });
    corner.onAdd = () => box;
    corner.addTo(map);
    const still = { dragging: false, keyboard: false, scrollWheelZoom: false, doubleClickZoom: false, boxZoom: false };
    const bare = { zoomControl: false, attributionControl: false, zoomAnimation: false, fadeAnimation: false };
    this.small = L.map(box, { ...still, ...bare, touchZoom: false, tapHold: false, center: [0, 0], zoom: 0 });
    this.renderer = L.canvas({ padding: 0 });
    const style = () => ({ renderer: this.renderer, interactive: false, ...landColors() });
    this.land = L.geoJSON(land, { style, interactive: false }).addTo(this.small);
    this.frame = L.rectangle(map.getBounds(), { renderer: this.renderer, interactive: false, weight: 2 }).addTo(this.small);
    this.recolor();
    map.on("moveend", () => this.draw());
  }

  draw() {
    if (this.map.getZoom() <= LAND_UP_TO) return;
    const zoom = Math.min(LAND_UP_TO, Math.max(0, Math.round(this.map.getZoom()) - INSET_FARTHER));
    this.small.invalidateSize({ animate: false }).setView(this.map.getCenter(), zoom, { animate: false });
    this.frame.setBounds(this.map.getBounds());
  }

  recolor() {
    this.land.setStyle(landColors());
    this.frame.setStyle({ color: color("cell"), fillColor: color("cell"), fillOpacity: 0.15 });
  }
}

function landColors() {
  return { fillColor: color("land"), fillOpacity: 1, color: color("shore"), weight: 1 };
}

function multiples(step, low, high) {
  const found = [];
  for (let n = Math.ceil(low / step); n * step <= high && found.length < 60; n++) found.push(n * step);
  return found;
}

function degrees(value, positive, negative) {
  const size = Number(Math.abs(value).toFixed(3));
  return size === 0 ? "0°" : `${size}° ${value > 0 ? positive : negative}`;
}
