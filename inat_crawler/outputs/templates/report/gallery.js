"use strict";
// The gallery: a card for the first photo of each observation, with name, date, license and credit.

const CARDS = 60; // at a time

class Gallery {
  constructor(data) {
    this.data = data;
    this.list = byId("gallery");
    this.steps = new Steps(this.list, byId("gallery-more"), CARDS, card);
  }

  show(records) {
    const shown = records.filter((record) => record.file);
    this.list.dataset.total = shown.length;
    byId("gallery-note").textContent = this.note(records.length, shown.length);
    this.steps.show(shown);
  }

  note(all, shown) {
    const { withPhoto, inGallery } = this.data;
    const newest = withPhoto > inGallery ? ` The gallery holds the newest ${count(inGallery)} only.` : "";
    return `${count(shown)} of ${plural(all, "observation")} ${shown === 1 ? "has" : "have"} a photo here.${newest}`;
  }
}

function card(record) {
  const { taxon, photoLicenses: [license] } = record;
  const name = license.url ? link(license.url, license.name) : license.name;
  return element("li", { class: "card" },
    linkToObservation(record, photo(record, `Photo of ${taxon.label}`), element("span", { class: "names" }, ...names(taxon))),
    element("p", {}, element("time", {}, dateText(record.day)), " · ", name),
    element("p", { class: "credit" }, record.credit));
}
