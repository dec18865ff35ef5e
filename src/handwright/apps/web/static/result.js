// Before and after under a slider, the candidates of every hand, and what can be downloaded.
const place = element.querySelector(".hw-result");

function node(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {}))
    if (key === "text") made.textContent = value;
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value === true ? "" : value);
  made.append(...children);
  return made;
}

function compare(shown) {
  const frame = node("div", { class: "hw-compare", style: `aspect-ratio:${shown.width}/${shown.height};--ratio:${shown.width / shown.height}` },
    node("img", { src: shown.before, alt: "before", draggable: "false" }),
    node("img", { src: shown.after, alt: "after", class: "hw-after", draggable: "false" }),
    node("span", { class: "hw-tag hw-tag-before", text: "before" }),
    node("span", { class: "hw-tag hw-tag-after", text: "after" }),
    node("i", { class: "hw-line" }));
  const slider = node("input", { type: "range", min: 0, max: 100, step: 1, value: 50, "aria-label": "Compare: left of the line before, right of it after" });
  const move = (at) => { slider.value = at; frame.style.setProperty("--at", `${slider.value}%`); };
  move(50);
  slider.addEventListener("input", () => move(slider.value));
  const follow = (event) => {
    const { left, width } = frame.getBoundingClientRect();
    move((100 * (event.clientX - left)) / width);
  };
  frame.addEventListener("pointerdown", (event) => { frame.setPointerCapture(event.pointerId); follow(event); });
  frame.addEventListener("pointermove", (event) => { if (event.buttons) follow(event); });
  return node("div", { class: "hw-compare-box" }, frame, slider);
}

function candidates(hand) {
  const name = `hw-pick-${hand.id}`;
  const choices = hand.choices.map((choice) => {
    const input = node("input", { type: "radio", name, value: choice.pick, checked: choice.pick === hand.pick });
    input.addEventListener("change", () => trigger("picked", { hand: hand.id, pick: choice.pick }));
    return node("label", { class: "hw-choice", title: choice.why || "" }, input,
      node("img", { src: choice.image, alt: "", width: 112, height: 112 }), node("span", { text: choice.label }));
  });
  const back = node("button", { type: "button", class: "hw-button", "data-back": hand.id, disabled: hand.pick === 0, text: "Put this hand back" });
  back.addEventListener("click", () => trigger("picked", { hand: hand.id, pick: 0 }));
  const verdict = hand.verdict ? node("span", { class: `hw-verdict ${hand.verdict}`, text: hand.verdict }) : "";
  return node("li", { "data-hand": hand.id },
    node("p", {}, node("b", { text: `Hand ${hand.id} · ${hand.side}: ${hand.action} ` }), verdict),
    node("p", { class: "hw-quiet", text: hand.reason }),
    ...(choices.length ? [node("fieldset", { class: "hw-choices" }, node("legend", { text: `Candidates of hand ${hand.id}` }), ...choices), back] : []));
}

function show() {
  const shown = props.value;
  const at = place.querySelector("input[type=range]");
  const before = at ? at.value : null;
  const focused = document.activeElement && place.contains(document.activeElement) ? document.activeElement : null;
  const again = focused && (focused.name ? `input[name="${focused.name}"]:checked` : null);
  place.replaceChildren();
  place.hidden = !shown;
  if (!shown) return;
  const links = shown.downloads.map((one) => node("a", { class: "hw-button", href: one.href, download: one.name, text: one.label }));
  place.append(node("h2", { text: "Before and after" }), compare(shown),
    node("div", { class: "hw-downloads" }, ...links),
    node("ul", { class: "hw-list" }, ...shown.hands.map(candidates)),
    ...shown.notes.map((note) => node("p", { class: "hw-quiet", text: note })));
  const slider = place.querySelector("input[type=range]");
  if (before !== null) { slider.value = before; slider.dispatchEvent(new Event("input")); }
  if (again && place.querySelector(again)) place.querySelector(again).focus();
}

watch("value", show);
show();
