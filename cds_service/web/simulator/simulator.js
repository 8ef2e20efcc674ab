// Says that an answer is on its way, and copies; everything works without.
"use strict";
const form = document.getElementById("fire");
const status = form && form.querySelector(".progress");
if (form) {
  form.addEventListener("submit", (event) => {
    if (event.submitter && event.submitter.value === "request") return;
    form.classList.add("busy");
    form.setAttribute("aria-busy", "true");
    const began = Date.now();
    status.textContent = "Waiting for the answer …";
    setInterval(() => { status.textContent = `Waiting for the answer … ${Math.round((Date.now() - began) / 1000)} s`; }, 1000);
  });
}
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
  });
}
// A page that comes back from the browser's memory waits for nothing.
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
