"use strict";
const study = JSON.parse(document.getElementById("study").textContent);
const by = (id) => document.getElementById(id);
const questions = Object.entries(study.questions);
let rater = "", steps = [], answers = [], started = "";

// FNV-1a of the study and the rater, and mulberry32: the same rater sees the same order again.
function seedOf(text) {
  let h = 2166136261;
  for (const c of new TextEncoder().encode(text)) h = Math.imul(h ^ c, 16777619);
  return h >>> 0;
}
function generator(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) >>> 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
function shuffled(list, random) {
  const out = list.slice();
  for (let k = out.length - 1; k > 0; k--) {
    const j = Math.floor(random() * (k + 1));
    [out[k], out[j]] = [out[j], out[k]];
  }
  return out;
}
function planFor(name) {
  const random = generator(seedOf(study.study + "/" + name));
  let trials = shuffled(study.trials.filter((t) => t.id.startsWith("t")), random);
  if (study.trials_per_rater) trials = trials.slice(0, study.trials_per_rater);
  const checks = study.trials.filter((t) => t.id.startsWith("c"));
  const out = [];
  for (const trial of shuffled([...trials, ...checks], random)) {
    const left = random() < 0.5 ? "a" : "b";
    const asked = trial.id.startsWith("c") ? questions.slice(0, 1) : questions;
    for (const [question] of asked) out.push({ trial, left, question });
  }
  return out;
}

const place = () => "handwright-study-" + study.study + "-" + rater;
function keep() {
  try { localStorage.setItem(place(), JSON.stringify({ started, answers })); } catch { /* private mode: no resume */ }
}
function recall() {
  try { return JSON.parse(localStorage.getItem(place())) || {}; } catch { return {}; }
}
function show() {
  const step = steps[answers.length];
  by("start").hidden = true;
  by("trial").hidden = !step;
  by("end").hidden = !!step;
  if (!step) return;
  const right = step.left === "a" ? "b" : "a";
  by("progress").textContent = `${answers.length + 1} of ${steps.length}`;
  by("prompt").textContent = step.trial.prompt ? `“${step.trial.prompt}”` : "";
  by("question").textContent = study.questions[step.question];
  by("left").firstChild.src = step.trial[step.left];
  by("right").firstChild.src = step.trial[right];
  by("back").disabled = !answers.length;
  step.since = Date.now();
}
function answer(side) {
  const step = steps[answers.length];
  if (!step || by("trial").hidden) return;
  const right = step.left === "a" ? "b" : "a";
  const value = side === "neither" ? "neither" : side === "left" ? step.left : right;
  answers.push({ id: step.trial.id, question: step.question, answer: value, left: step.left, ms: Date.now() - step.since });
  keep();
  show();
}
function back() {
  if (by("trial").hidden || !answers.length) return;
  answers.pop();
  keep();
  show();
}

by("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  rater = by("rater").value;
  steps = planFor(rater);
  const kept = recall();
  started = kept.started || new Date().toISOString();
  answers = kept.answers || [];
  show();
});
for (const side of ["left", "right", "neither"]) by(side).addEventListener("click", () => answer(side));
by("back").addEventListener("click", back);
document.addEventListener("keydown", (event) => {
  const side = { ArrowLeft: "left", ArrowRight: "right", ArrowDown: "neither" }[event.key];
  if (by("trial").hidden) return;
  if (side) { event.preventDefault(); answer(side); }
  if (event.key === "Backspace") { event.preventDefault(); back(); }
});
by("save").addEventListener("click", () => {
  const result = { version: 1, study: study.study, rater, started, finished: new Date().toISOString(), answers };
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(result, null, 1)], { type: "application/json" }));
  link.download = `answers-${rater}.json`;
  link.click();
  URL.revokeObjectURL(link.href);
});
