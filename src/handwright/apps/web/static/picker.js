// Choosing pictures: by the file dialog, dropped, or pasted. Sends 'picked' with what was uploaded.
const box = element.querySelector(".hw-drop");
const input = element.querySelector("input[type=file]");
const several = props.several;

async function take(files) {
  const chosen = [...files].slice(0, several ? props.most : 1);
  if (!chosen.length) return;
  box.classList.add("busy");
  try {
    const uploads = [];
    for (const file of chosen) {
      const { path } = await upload(file);
      uploads.push({ path, name: file.name });
    }
    trigger("picked", { uploads, left_out: files.length - chosen.length });
  } catch (error) {
    trigger("picked", { uploads: [], error: String((error && error.message) || error) });
  } finally {
    box.classList.remove("busy");
    input.value = "";
  }
}

input.addEventListener("change", () => take(input.files));
for (const name of ["dragenter", "dragover"])
  box.addEventListener(name, (event) => { event.preventDefault(); box.classList.add("over"); });
for (const name of ["dragleave", "drop"])
  box.addEventListener(name, () => box.classList.remove("over"));
box.addEventListener("drop", (event) => { event.preventDefault(); take(event.dataTransfer.files); });
document.addEventListener("paste", (event) => {
  const files = [...((event.clipboardData && event.clipboardData.files) || [])];
  if (!files.length || !element.offsetParent) return; // text, or another tab is shown
  event.preventDefault();
  take(files);
});
for (const example of element.querySelectorAll("[data-example]"))
  example.addEventListener("click", () => trigger("picked", { example: example.dataset.example }));
