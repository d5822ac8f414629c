"use strict";
// The data of the page: rows of numbers become records that point to their taxon, observer and licenses.

const block = (id) => JSON.parse(byId(`${id}-data`).textContent);

const GRADES = new Map([
  ["research", { label: "Research grade", color: "research" }],
  ["needs_id", { label: "Needs ID", color: "needs-id" }],
  ["casual", { label: "Casual", color: "casual" }],
]);
const GRADE_ORDER = [...GRADES.keys()];

function readData() {
  const lists = block("lists");
  const thumbnails = block("thumbnails");
  const taxa = lists.taxa.map(([name, commonName, rank], number) => taxon(number, name, commonName, rank));
  const observers = lists.observers.map(([login, name], number) => ({
    number,
    label: login ? (name && name !== login ? `${name} (${login})` : login) : name || "unknown",
  }));
  const grades = lists.grades.map((grade, number) => ({
    number,
    rank: GRADES.has(grade) ? GRADE_ORDER.indexOf(grade) : GRADES.size,
    ...(GRADES.get(grade) ?? { label: grade || "Grade unknown", color: "unknown" }),
  }));
  const licenses = lists.licenses.map(([name, url], number) => ({ number, name, url }));
  const records = block("rows").map((row) => {
    const [id, taxonNumber, observer, grade, license, day, latitude, longitude, obscured, photos, file, credit] = row;
    return {
      id, day, latitude, longitude, obscured, file,
      taxon: taxa[taxonNumber],
      observer: observers[observer],
      grade: grades[grade],
      license: licenses[license],
      photoLicenses: photos.map((number) => licenses[number]),
      credit: lists.credits[credit],
      thumbnail: thumbnails[id],
    };
  });
  const sorted = [...grades].sort((a, b) => a.rank - b.rank);
  return { records, taxa, observers, grades: sorted, licenses, ...block("settings") };
}

function taxon(number, name, commonName, rank) {
  const label = name ? (commonName ? `${name} (${commonName})` : name) : commonName || "Not identified";
  return { number, name, commonName, rank, label, search: label.toLowerCase() };
}

// 20240507 -> "2024-05-07"; 0 is no date.
function dateText(day) {
  if (!day) return "no date";
  const digits = String(day).padStart(8, "0");
  return `${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6)}`;
}

// How many records there are of each, as [[thing, count]], the most frequent first.
function tally(records, of) {
  const counts = new Map();
  for (const record of records) for (const thing of [of(record)].flat()) counts.set(thing, (counts.get(thing) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}

// The two lines of a name: the common one if there is one, and the scientific one in italics.
function names({ name, commonName }) {
  const scientific = name ? [element("i", {}, name)] : [];
  if (!commonName) return name ? scientific : ["Not identified"];
  return [element("b", {}, commonName), ...(name ? [element("br"), ...scientific] : [])];
}
