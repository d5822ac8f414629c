"use strict";
// The charts. Each says its numbers in its label as well, for whoever does not see it.

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const LONGEST_SPAN = 150; // years; above that only those that have observations get a bar
const LICENSES = 8; // bars; the rest is put together

class Charts {
  constructor(data) {
    this.data = data;
    Chart.defaults.animation = false;
    Chart.defaults.maintainAspectRatio = false;
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    this.charts = {
      years: bars("years", ["accent"]),
      months: bars("months", ["accent"]),
      qualities: bars("qualities", ["accent"], true),
      licenses: bars("licenses", ["accent", "second"], true),
    };
  }

  show(records) {
    this.records = records;
    const dated = records.filter((record) => record.day);
    fill(this.charts.years, "Observations by year", ...byYear(dated));
    fill(this.charts.months, "Observations by month", MONTHS, [byMonth(dated)]);
    this.showQualities(records);
    this.showLicenses(records);
    const without = records.length - dated.length;
    byId("years-title").textContent = `Observations by year${without ? ` (${count(without)} without a date)` : ""}`;
  }

  showQualities(records) {
    const counts = new Map(tally(records, (r) => r.grade));
    const grades = this.data.grades;
    const chart = this.charts.qualities;
    chart.data.datasets[0].backgroundColor = grades.map((grade) => color(grade.color));
    fill(chart, "Quality grades", grades.map((grade) => grade.label), [grades.map((grade) => counts.get(grade) ?? 0)]);
  }

  showLicenses(records) {
    const observations = new Map(tally(records, (r) => r.license));
    const photos = new Map(tally(records, (r) => r.photoLicenses));
    const total = (license) => (observations.get(license) ?? 0) + (photos.get(license) ?? 0);
    const sorted = this.data.licenses.filter(total).sort((a, b) => total(b) - total(a));
    const [shown, others] = [sorted.slice(0, LICENSES), sorted.slice(LICENSES)];
    const sums = [observations, photos].map((counts) => {
      const rest = others.reduce((sum, license) => sum + (counts.get(license) ?? 0), 0);
      return [...shown.map((license) => counts.get(license) ?? 0), ...(others.length ? [rest] : [])];
    });
    const labels = [...shown.map((license) => license.name), ...(others.length ? ["others"] : [])];
    fill(this.charts.licenses, "Licenses of observations and photos", labels, sums, ["observation", "photo"]);
  }

  recolor() {
    for (const chart of Object.values(this.charts)) paint(chart);
    this.show(this.records);
  }
}

function bars(id, colors, across = false) {
  const counted = { beginAtZero: true, ticks: { precision: 0, maxTicksLimit: 6 } };
  const named = { grid: { display: false }, ticks: { autoSkip: !across } };
  const chart = new Chart(byId(id), {
    type: "bar",
    data: { labels: [], datasets: colors.map(() => ({ data: [], borderRadius: 3, maxBarThickness: 34 })) },
    options: {
      indexAxis: across ? "y" : "x",
      scales: across ? { x: counted, y: named } : { x: named, y: counted },
      plugins: { legend: { display: colors.length > 1, position: "bottom", labels: { boxWidth: 12 } } },
    },
  });
  chart.palette = colors;
  paint(chart);
  return chart;
}

function paint(chart) {
  chart.data.datasets.forEach((dataset, n) => (dataset.backgroundColor = color(chart.palette[n])));
  chart.options.color = color("text");
  for (const scale of Object.values(chart.options.scales)) {
    scale.ticks.color = color("text");
    scale.grid = { ...scale.grid, color: color("line") };
    scale.border = { color: color("line") };
  }
}

function fill(chart, title, labels, series, kinds = ["observation"]) {
  chart.data.labels = labels;
  series.forEach((numbers, n) => Object.assign(chart.data.datasets[n], { data: numbers, label: `${kinds[n]}s` }));
  chart.update();
  const of = (at) => series.map((numbers, n) => plural(numbers[at], kinds[n])).join(", ");
  const told = labels.map((label, at) => `${label}: ${of(at)}`);
  chart.canvas.setAttribute("aria-label", `${title}. ${told.join("; ") || "None."}`);
  chart.canvas.dataset.total = series[0].reduce((sum, n) => sum + n, 0);
}

function byYear(records) {
  const counts = new Map(tally(records, (r) => Math.floor(r.day / 10000)));
  const years = [...counts.keys()].sort((a, b) => a - b);
  const [first, last] = [years[0], years.at(-1)];
  const all = last - first < LONGEST_SPAN ? Array.from({ length: last - first + 1 }, (_, n) => first + n) : years;
  return [all.map(String), [all.map((year) => counts.get(year) ?? 0)]];
}

function byMonth(records) {
  const counts = Array(12).fill(0);
  for (const record of records) counts[(Math.floor(record.day / 100) % 100) - 1]++;
  return counts;
}
