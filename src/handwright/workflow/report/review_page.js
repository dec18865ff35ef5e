"use strict";
const FIELDS = ["path", "hand", "box", "check", "verdict", "confidence", "label"];
const checks = [...document.querySelectorAll(".check")];

function labels() {
  return checks.filter((check) => check.dataset.label).map((check) =>
    Object.fromEntries(FIELDS.map((field) => [field, check.dataset[field]])));
}

function press(check, button) {
  const again = check.dataset.label === button.textContent;
  check.dataset.label = again ? "" : button.textContent;
  for (const other of check.querySelectorAll("button")) {
    other.setAttribute("aria-pressed", String(!again && other === button));
  }
  const count = labels().length;
  document.getElementById("count").textContent = `${count} ${count === 1 ? "label" : "labels"}.`;
}

function save(name, kind, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: kind }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

function csv() {
  const quoted = (value) => `"${String(value).replaceAll('"', '""')}"`;
  const rows = labels().map((label) => FIELDS.map((field) => quoted(label[field])).join(","));
  return [FIELDS.join(","), ...rows].join("\r\n") + "\r\n";
}

for (const check of checks) {
  for (const button of check.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => press(check, button));
  }
}
document.getElementById("csv").addEventListener("click", () => save("labels.csv", "text/csv", csv()));
document.getElementById("json").addEventListener("click", () =>
  save("labels.json", "application/json", JSON.stringify(labels(), null, 1) + "\n"));
