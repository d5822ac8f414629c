"use strict";
// What lies below the observations on the map: land, an own basemap, and a grid of degrees with labels.

const LAND_UP_TO = 6; // zoom from which on the outlines, simplified to 13 km, would put a shore in the wrong place
const STEPS = [30, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001];
const FEWEST_PIXELS = 90; // between two lines of the grid

class Ground {
  constructor(map, land, basemap) {
    this.map = map;
    const pane = map.createPane("ground");
    pane.classList.add("ground");
    const renderer = L.canvas({ pane: "ground" });
    const style = () => ({ renderer, interactive: false, pane: "ground", ...this.colors() });
    this.land = L.geoJSON(land, { style, pane: "ground", interactive: false });
    this.grid = L.layerGroup().addTo(map);
    this.renderer = renderer;
    this.own = basemap && this.ownLayer(basemap, renderer);
    map.on("zoomend moveend", () => this.draw());
  }

  colors() {
    return { fillColor: color("land"), fillOpacity: 1, color: color("shore"), weight: 1 };
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
    this.land.setStyle(this.colors());
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
    for (const x of multiples(step, west, east)) this.line([[-85, x], [85, x]], [south, x], degrees(x, "E", "W"), "below");
    for (const y of multiples(step, south, north)) this.line([[y, -180], [y, 180]], [y, west], degrees(y, "N", "S"), "beside");
  }

  line(points, at, text, where) {
    const style = { renderer: this.renderer, pane: "ground", interactive: false, color: color("grid"), weight: 1 };
    const label = element("span", {}, text);
    const icon = L.divIcon({ html: label, className: `degree ${where}`, iconSize: [0, 0] });
    this.grid.addLayer(L.polyline(points, style));
    this.grid.addLayer(L.marker(at, { icon, interactive: false, keyboard: false, pane: "overlayPane" }));
  }
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
