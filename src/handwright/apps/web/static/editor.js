// The picture with its hands: verdicts, boxes, joints and surfaces on a canvas; every edit is sent as 'edited'.
const root = element.querySelector(".hw-editor");
const canvas = root.querySelector("canvas");
const pen = canvas.getContext("2d");
const list = root.querySelector(".hw-hands");
const hint = root.querySelector(".hw-hint");
const brush = root.querySelector("[data-brush]");
const picture = new Image();
const mask = document.createElement("canvas"); // white where pixels may change, at the view's size
const HINTS = {
  hand: "Drag a joint, or a hand by its box. Keys: N and P choose a joint, arrows move it (Shift: 10 px), H the next hand.",
  box: "Draw a box around a hand. Keys: arrows move the cross, Space sets a corner, Space again the other one.",
  paint: "Paint where pixels may change. Keys: arrows move the brush, Space sets it down and lifts it.",
  erase: "Erase where pixels must stay. Keys: arrows move the brush, Space sets it down and lifts it.",
};
const GRAB = 14; // px of the screen around a joint that a pointer catches
let rig = null, shown = null, tool = "hand", hand = 0, joint = 8, live = null, drag = null, zoomed = false;
let cursor = null, corner = null, down = false, busy = false, waiting = [], asking = false, next = null, timer = 0;

fetch("/rig.json").then((answer) => answer.json()).then((value) => { rig = value; if (shown) announce(); draw(); });

function node(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {}))
    if (key === "text") made.textContent = value;
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value === true ? "" : value);
  made.append(...children);
  return made;
}

// ---- one event at a time: the next is sent when the answer to the last has come ----
function send(edit) {
  waiting.push(edit);
  pump();
}
function pump() {
  if (busy || !waiting.length) return;
  busy = true;
  root.classList.add("busy");
  trigger("edited", waiting.shift());
}

// ---- geometry: the picture's pixels on the canvas ----
function part() { // what of the picture is shown: x, y, width, height
  const one = shown.hands[hand];
  if (!zoomed || !one) return [0, 0, shown.width, shown.height];
  const [x0, y0, x1, y1] = one.box;
  const side = Math.max(x1 - x0, y1 - y0) * 1.6;
  const width = Math.min(side * Math.max(1, shown.width / shown.height), shown.width);
  const height = (width * shown.height) / shown.width;
  const x = Math.min(Math.max((x0 + x1 - width) / 2, 0), shown.width - width);
  const y = Math.min(Math.max((y0 + y1 - height) / 2, 0), shown.height - height);
  return [x, y, width, height];
}
let frame = [0, 0, 1, 1];
const scale = () => canvas.width / frame[2];
const onto = (x, y) => [(x - frame[0]) * scale(), (y - frame[1]) * scale()];
function from(event) {
  const place = canvas.getBoundingClientRect();
  return [frame[0] + ((event.clientX - place.left) / place.width) * frame[2],
    frame[1] + ((event.clientY - place.top) / place.height) * frame[3]];
}
const screen = (px) => (px * frame[2]) / canvas.clientWidth; // px of the screen as px of the picture

// ---- drawing ----
function draw() {
  if (!shown || !picture.complete || !picture.naturalWidth) return;
  if (!drag) frame = part();
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  const width = Math.round(canvas.clientWidth * ratio), height = Math.round((width * shown.height) / shown.width);
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const k = picture.naturalWidth / shown.width;
  pen.drawImage(picture, frame[0] * k, frame[1] * k, frame[2] * k, frame[3] * k, 0, 0, width, height);
  if (tool === "paint" || tool === "erase" || shown.brushed) tint();
  shown.hands.forEach((one, number) => outline(one, number === hand, ratio));
  shown.undetected.forEach((one) => rectangle(one.place, colour(one.verdict), ratio, `? ${one.verdict}`, true));
  const one = shown.hands[hand];
  if (one && tool === "hand") skeleton({ ...one, ...(live || {}) }, ratio);
  if (drag && drag.box) rectangle(drag.box, "#4aa3ff", ratio, "", true);
  if (cursor && tool !== "hand") cross(ratio);
  canvas.dataset.drawn = rig ? "all" : "picture";
}
const colour = (verdict) => (rig && rig.colours[verdict]) || "#9aa4b2";
function rectangle(box, ink, ratio, text, dashed) {
  const [x0, y0] = onto(box[0], box[1]), [x1, y1] = onto(box[2], box[3]);
  pen.setLineDash(dashed ? [6 * ratio, 4 * ratio] : []);
  for (const [style, width] of [["#000a", 4.5], [ink, 2.2]]) {
    pen.strokeStyle = style;
    pen.lineWidth = width * ratio;
    pen.strokeRect(x0, y0, x1 - x0, y1 - y0);
  }
  pen.setLineDash([]);
  if (!text) return;
  pen.font = `600 ${13 * ratio}px system-ui, sans-serif`;
  const width = pen.measureText(text).width + 8 * ratio, high = 19 * ratio;
  const x = Math.min(Math.max(x0, 0), Math.max(canvas.width - width, 0)), y = Math.max(y0 - high, 0);
  pen.fillStyle = "#000c";
  pen.fillRect(x, y, width, high);
  pen.fillStyle = ink;
  pen.fillText(text, x + 4 * ratio, y + 14 * ratio);
}
function outline(one, chosen, ratio) {
  const moved = drag && drag.by && chosen ? drag.by : [0, 0];
  const box = one.box.map((value, k) => value + moved[k % 2]);
  rectangle(box, colour(one.verdict), ratio * (chosen ? 1.3 : 1), `${one.id} ${one.verdict}`, false);
}
function skeleton(one, ratio) {
  if (!rig) return;
  const by = drag && drag.by ? drag.by : [0, 0];
  surface(one, by);
  const points = one.points.map(([x, y]) => onto(x + by[0], y + by[1]));
  for (const [style, width] of [["#000c", 5], ["#ffffffd9", 2.4]]) {
    pen.strokeStyle = style;
    pen.lineWidth = width * ratio;
    pen.beginPath();
    for (const [a, b] of rig.edges) { pen.moveTo(...points[a]); pen.lineTo(...points[b]); }
    pen.stroke();
  }
  points.forEach(([x, y], k) => {
    pen.beginPath();
    pen.arc(x, y, (k === joint ? 7.5 : 4.5) * ratio, 0, 7);
    pen.fillStyle = k === joint ? "#ffd166" : one.moved.includes(k) ? "#ff8a3d" : "#4aa3ff";
    pen.fill();
    pen.lineWidth = 1.6 * ratio;
    pen.strokeStyle = "#000d";
    pen.stroke();
  });
}
function surface(one, by) {
  const { faces } = rig, points = one.mesh, order = [], sign = one.side === "left" ? -1 : 1, k = scale();
  for (let f = 0; f < faces.length; f += 3) {
    const a = 3 * faces[f], b = 3 * faces[f + 1], c = 3 * faces[f + 2];
    const ux = points[b] - points[a], uy = points[b + 1] - points[a + 1], uz = points[b + 2] - points[a + 2];
    const vx = points[c] - points[a], vy = points[c + 1] - points[a + 1], vz = points[c + 2] - points[a + 2];
    const nz = ux * vy - uy * vx;
    if (nz * sign >= 0) continue; // turned away
    const length = Math.hypot(uy * vz - uz * vy, uz * vx - ux * vz, nz) || 1;
    order.push([points[a + 2] + points[b + 2] + points[c + 2], Math.abs(nz) / length, a, b, c]);
  }
  order.sort((p, q) => q[0] - p[0]);
  pen.globalAlpha = 0.5;
  const at = (v) => pen.lineTo((points[v] + by[0] - frame[0]) * k, (points[v + 1] + by[1] - frame[1]) * k);
  for (const [, light, a, b, c] of order) {
    const shade = Math.round(70 + 150 * light);
    pen.fillStyle = pen.strokeStyle = `rgb(${shade * 0.45},${shade * 0.95},${shade})`;
    pen.lineWidth = 0.6;
    pen.beginPath();
    at(a); at(b); at(c);
    pen.closePath();
    pen.fill();
    pen.stroke();
  }
  pen.globalAlpha = 1;
}
function tint() {
  if (!mask.width) return;
  const red = document.createElement("canvas");
  [red.width, red.height] = [mask.width, mask.height];
  const ink = red.getContext("2d");
  ink.drawImage(mask, 0, 0);
  ink.globalCompositeOperation = "source-in";
  ink.fillStyle = "#ff3b6b";
  ink.fillRect(0, 0, red.width, red.height);
  const k = mask.width / shown.width;
  pen.globalAlpha = 0.45;
  pen.drawImage(red, frame[0] * k, frame[1] * k, frame[2] * k, frame[3] * k, 0, 0, canvas.width, canvas.height);
  pen.globalAlpha = 1;
}
function cross(ratio) {
  const [x, y] = onto(...cursor), size = tool === "box" ? 9 * ratio : (radius() * scale());
  pen.lineWidth = 2 * ratio;
  pen.strokeStyle = down ? "#ff3b6b" : "#ffffff";
  pen.beginPath();
  if (tool === "box") { pen.moveTo(x - size, y); pen.lineTo(x + size, y); pen.moveTo(x, y - size); pen.lineTo(x, y + size); }
  else pen.arc(x, y, size, 0, 7);
  pen.stroke();
  if (tool === "box" && corner) rectangle(boxOf(corner, cursor), "#4aa3ff", ratio, "", true);
}

// ---- joints: the server fits the hand while it is dragged ----
function follow(x, y) {
  next = [x, y];
  if (!live) live = { points: shown.hands[hand].points.map((p) => [...p]), mesh: shown.hands[hand].mesh, moved: [...shown.hands[hand].moved, joint] };
  live.points[joint] = [x, y];
  draw();
  fit();
}
async function fit() {
  if (asking || !next || !shown) return;
  asking = true;
  const [x, y] = next, one = shown.hands[hand], picked = joint;
  next = null;
  try {
    const posed = await server.drag({ record: one.record, moved: one.moved, joint: picked, x, y, width: shown.width, height: shown.height });
    if (live && posed && picked === joint) { live.mesh = posed.mesh; draw(); }
  } finally {
    asking = false;
    if (next) fit();
  }
}
function settle() { // what was dragged becomes an edit
  clearTimeout(timer);
  timer = 0;
  if (!live) return;
  const [x, y] = live.points[joint];
  next = null;
  send({ op: "joint", hand: hand + 1, joint, x, y });
}

// ---- mask ----
const radius = () => (Number(brush.value) / 100) * Math.max(shown.width, shown.height) * 0.5 * (frame[2] / shown.width);
function paint([x0, y0], [x1, y1]) {
  const ink = mask.getContext("2d"), k = mask.width / shown.width;
  ink.globalCompositeOperation = tool === "erase" ? "destination-out" : "source-over";
  ink.strokeStyle = "#fff";
  ink.lineCap = "round";
  ink.lineWidth = 2 * radius() * k;
  ink.beginPath();
  ink.moveTo(x0 * k, y0 * k);
  ink.lineTo(x1 * k, y1 * k + 0.01);
  ink.stroke();
  draw();
}
function sendMask() {
  const flat = document.createElement("canvas");
  [flat.width, flat.height] = [mask.width, mask.height];
  const ink = flat.getContext("2d");
  ink.fillStyle = "#000";
  ink.fillRect(0, 0, flat.width, flat.height);
  ink.drawImage(mask, 0, 0);
  send({ op: "mask", png: flat.toDataURL("image/png") });
}
function loadMask(url) {
  const image = new Image();
  image.onload = () => {
    [mask.width, mask.height] = [image.naturalWidth, image.naturalHeight];
    const ink = mask.getContext("2d");
    ink.drawImage(image, 0, 0);
    const pixels = ink.getImageData(0, 0, mask.width, mask.height);
    for (let k = 0; k < pixels.data.length; k += 4) pixels.data[k + 3] = pixels.data[k];
    ink.putImageData(pixels, 0, 0);
    draw();
  };
  image.src = url;
}

// ---- pointer ----
const boxOf = (a, b) => [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])];
function caught([x, y]) { // what lies under the pointer: a joint of the chosen hand, or a hand's box
  const reach = screen(GRAB), one = shown.hands[hand];
  if (one) {
    const near = one.points.map((p) => Math.hypot(p[0] - x, p[1] - y));
    const best = near.indexOf(Math.min(...near));
    if (near[best] <= reach) return { joint: best };
  }
  const inside = shown.hands.map((other, k) => [k, other.box])
    .filter(([, b]) => x >= b[0] - reach && x <= b[2] + reach && y >= b[1] - reach && y <= b[3] + reach)
    .sort((p, q) => (p[1][2] - p[1][0]) * (p[1][3] - p[1][1]) - (q[1][2] - q[1][0]) * (q[1][3] - q[1][1]));
  if (!inside.length) return null;
  const [k, b] = inside.find(([which]) => which === hand) || inside[0];
  const edge = Math.min(Math.abs(x - b[0]), Math.abs(x - b[2]), Math.abs(y - b[1]), Math.abs(y - b[3])) <= reach;
  return { box: k, edge };
}
canvas.addEventListener("touchstart", (event) => {
  if (!shown || event.touches.length > 1) return;
  const found = tool === "hand" ? caught(from(event.touches[0])) : true;
  if (found && (found === true || found.joint !== undefined || found.edge)) event.preventDefault();
}, { passive: false });
canvas.addEventListener("pointerdown", (event) => {
  if (!shown || busy || event.button) return;
  const at = from(event);
  cursor = null;
  if (tool === "hand") {
    const found = caught(at);
    if (!found) return;
    if (found.joint !== undefined) { settle(); joint = found.joint; drag = { joint: true, start: at }; announce(); }
    else if (found.box !== hand) { choose(found.box); return; }
    else if (found.edge) drag = { start: at, by: [0, 0] };
    else return;
  } else if (tool === "box") drag = { start: at, box: [...at, ...at] };
  else { drag = { last: at }; paint(at, at); }
  canvas.setPointerCapture(event.pointerId);
  draw();
});
canvas.addEventListener("pointermove", (event) => {
  if (!drag) return;
  const at = from(event);
  if (drag.joint) { drag.far = true; follow(...at); }
  else if (drag.by) { drag.by = [at[0] - drag.start[0], at[1] - drag.start[1]]; draw(); }
  else if (drag.box) { drag.box = boxOf(drag.start, at); draw(); }
  else { paint(drag.last, at); drag.last = at; }
});
function release() {
  if (!drag) return;
  const done = drag;
  drag = null;
  if (done.joint && done.far) settle();
  else if (done.by && Math.hypot(...done.by) > screen(2)) send({ op: "move", hand: hand + 1, dx: done.by[0], dy: done.by[1] });
  else if (done.box && Math.min(done.box[2] - done.box[0], done.box[3] - done.box[1]) > screen(6)) send({ op: "box", box: done.box });
  else if (done.last) sendMask();
  draw();
}
canvas.addEventListener("pointerup", release);
canvas.addEventListener("pointercancel", release);

// ---- keyboard ----
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
canvas.addEventListener("keydown", (event) => {
  if (!shown || busy || event.ctrlKey || event.metaKey || event.altKey) return;
  const arrow = ARROWS[event.key], step = (event.shiftKey ? 10 : 1) * Math.max(1, screen(1));
  const key = event.key.toLowerCase();
  if (tool === "hand") {
    const one = shown.hands[hand];
    if (!one) return;
    if (arrow) {
      const [x, y] = (live || one).points[joint];
      follow(x + arrow[0] * step, y + arrow[1] * step);
      clearTimeout(timer);
      timer = setTimeout(settle, 600);
    } else if (key === "n" || key === "p") { settle(); joint = (joint + (key === "n" ? 1 : 20)) % 21; announce(); draw(); }
    else if (key === "h") { settle(); choose((hand + 1) % shown.hands.length); }
    else return;
  } else {
    cursor = cursor || [frame[0] + frame[2] / 2, frame[1] + frame[3] / 2];
    if (arrow) {
      const before = [...cursor], far = step * (tool === "box" ? 4 : 6);
      cursor = [Math.min(Math.max(cursor[0] + arrow[0] * far, 0), shown.width), Math.min(Math.max(cursor[1] + arrow[1] * far, 0), shown.height)];
      if (down && tool !== "box") paint(before, cursor);
    } else if (event.key === " " || event.key === "Enter") {
      if (tool === "box") {
        if (corner) { send({ op: "box", box: boxOf(corner, cursor) }); corner = null; } else corner = [...cursor];
      } else if (down) { down = false; sendMask(); } else { down = true; paint(cursor, cursor); }
    } else if (event.key === "Escape") { corner = null; down = false; }
    else return;
    draw();
  }
  event.preventDefault();
});
canvas.addEventListener("blur", settle);
function announce() {
  const one = shown.hands[hand];
  hint.textContent = one && rig ? `Hand ${one.id}, ${rig.joints[joint]}. ${HINTS[tool]}` : HINTS[tool];
}

// ---- the list of hands and the tools ----
function choose(number) {
  if (live) return;
  hand = number;
  announce();
  render();
  draw();
}
function button(text, key, act, more) {
  const made = node("button", { type: "button", class: "hw-button", "data-key": key, text, ...more });
  made.addEventListener("click", act);
  return made;
}
function entry(one, number) {
  const chosen = number === hand;
  const tick = node("input", { type: "checkbox", checked: one.wanted, "data-key": `want-${one.id}` });
  tick.addEventListener("change", () => send({ op: "want", hand: one.id, on: tick.checked }));
  const item = node("li", { "data-hand": one.id, class: chosen ? "chosen" : "" },
    node("div", { class: "hw-row" },
      button(`Hand ${one.id} · ${one.side}`, `hand-${one.id}`, () => choose(number), { "aria-pressed": String(chosen) }),
      node("span", { class: `hw-verdict ${one.verdict}`, text: one.verdict }),
      ...(one.edited ? [node("span", { class: "hw-quiet", text: "edited" })] : []),
      node("label", { class: "hw-want" }, tick, " repair")));
  item.append(reasons(one));
  if (chosen) {
    const file = node("input", { type: "file", accept: "image/*,.json", "data-key": "pose", "aria-label": "Take the pose from a photo or a hands file" });
    file.addEventListener("change", async () => {
      const [photo] = file.files;
      if (!photo) return;
      const { path } = await upload(photo);
      send({ op: "pose", hand: one.id, upload: { path, name: photo.name } });
    });
    item.append(node("div", { class: "hw-acts" },
      button(`Make it a ${one.side === "left" ? "right" : "left"} hand`, "flip", () => send({ op: "flip", hand: one.id })),
      node("label", { class: "hw-button" }, "Pose from a photo", file),
      button(zoomed ? "Zoom out" : "Zoom in", "zoom", () => { zoomed = !zoomed; render(); draw(); }, { "aria-pressed": String(zoomed) }),
      button("Remove", "remove", () => { hand = 0; send({ op: "remove", hand: one.id }); })));
  }
  return item;
}
const reasons = (one) => node("ul", { class: "hw-reasons" },
  ...one.reasons.map((why) => node("li", {}, node("b", { text: `${why.check}: ` }), why.reason)));
function render() {
  const focused = document.activeElement && root.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  list.replaceChildren(...shown.hands.map(entry), ...shown.undetected.map((one) => node("li", {},
    node("div", { class: "hw-row" }, node("span", { text: "joints not made out" }), node("span", { class: `hw-verdict ${one.verdict}`, text: one.verdict })), reasons(one))),
    ...shown.notes.map((note) => node("li", { class: "hw-quiet", text: note })));
  if (!shown.hands.length && !shown.undetected.length) list.prepend(node("li", { text: "No hand was found. Draw a box around one." }));
  for (const one of root.querySelectorAll("[data-tool]")) one.setAttribute("aria-pressed", String(one.dataset.tool === tool));
  root.querySelector("[data-key=undo]").disabled = !shown.undo;
  root.querySelector("[data-key=unmask]").disabled = !shown.brushed;
  root.querySelector(".hw-brush").classList.toggle("away", tool !== "paint" && tool !== "erase"); // keeps its place
  if (focused) { const again = root.querySelector(`[data-key="${focused}"]`); if (again) again.focus({ preventScroll: true }); }
}
for (const one of root.querySelectorAll("[data-tool]"))
  one.addEventListener("click", () => { settle(); tool = one.dataset.tool; cursor = corner = null; down = false; announce(); render(); draw(); });
root.querySelector("[data-key=undo]").addEventListener("click", () => send({ op: "undo" }));
root.querySelector("[data-key=unmask]").addEventListener("click", () => send({ op: "unmask" }));

function show() {
  const value = props.value, before = shown;
  shown = value;
  root.hidden = !value;
  live = next = null;
  busy = Boolean(value && value.busy);
  root.classList.toggle("busy", busy);
  if (!value) { waiting = []; return; }
  if (!before || before.picture !== value.picture) {
    [hand, joint, zoomed, tool] = [Math.max(value.hands.findIndex((one) => one.wanted), 0), 8, false, "hand"];
    canvas.style.aspectRatio = `${value.width}/${value.height}`;
    canvas.style.setProperty("--ratio", value.width / value.height);
    picture.src = value.view;
  } else if (value.hands.length > before.hands.length) hand = value.hands.length - 1;
  hand = Math.min(hand, Math.max(value.hands.length - 1, 0));
  if (!before || before.mask !== value.mask) loadMask(value.mask);
  canvas.setAttribute("aria-label", `${value.name}: ${value.hands.map((one) => `hand ${one.id}, ${one.side}, ${one.verdict}`).join("; ") || "no hand found"}`);
  announce();
  render();
  draw();
  pump();
}
picture.addEventListener("load", draw);
new ResizeObserver(draw).observe(canvas);
watch("value", show);
show();
