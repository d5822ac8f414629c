"use strict";
// Making elements. Text goes in as text, and addresses are made from ids: what others wrote is never markup.

const NUMBERS = new Intl.NumberFormat("en");
const count = (n) => NUMBERS.format(n);
const plural = (n, what) => `${count(n)} ${what}${n === 1 ? "" : "s"}`;
const byId = (id) => document.getElementById(id);

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function link(address, ...children) {
  return element("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

function linkToObservation(record, ...children) {
  return link(`https://www.inaturalist.org/observations/${record.id}`, ...children);
}

// The square photo of a record, or the place where it would be; nothing is asked for before it is seen.
function photo(record, alternative) {
  if (!record.file) return placeholder();
  const image = element("img", { loading: "lazy", decoding: "async", width: 75, height: 75, alt: alternative });
  image.addEventListener("error", () => image.replaceWith(placeholder()), { once: true });
  image.src = record.thumbnail ?? `images/${encodeURIComponent(record.file)}`;
  return image;
}

function placeholder() {
  return element("span", { class: "placeholder" }, "photo not at hand");
}

// A list that grows by steps: all of it at once would be slow, and a page without an end cannot be left by keyboard.
class Steps {
  constructor(parent, button, step, make) {
    Object.assign(this, { parent, button, step, make, items: [], shown: 0 });
    button.addEventListener("click", () => this.more(true));
  }

  show(items) {
    this.items = items;
    this.shown = 0;
    this.parent.replaceChildren();
    this.more(false);
  }

  more(moveFocus) {
    const made = this.items.slice(this.shown, this.shown + this.step).map(this.make);
    this.parent.append(...made);
    this.shown += made.length;
    const left = this.items.length - this.shown;
    this.button.hidden = left === 0;
    this.button.textContent = `Show ${count(Math.min(left, this.step))} more${left > this.step ? ` of ${count(left)}` : ""}`;
    if (moveFocus) made[0]?.querySelector("a, button")?.focus();
  }
}

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
