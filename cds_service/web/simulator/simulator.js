// Asks for the next page while this one stays, so that a Bundle need not travel back, and says that it waits; everything works without.
"use strict";
let running = null;  // what is being waited for
let clock = 0;

const wait = (form) => {
  const status = form.querySelector(".progress");
  const began = Date.now();
  form.classList.add("busy");
  form.setAttribute("aria-busy", "true");
  status.textContent = "Waiting for the answer …";
  clearInterval(clock);
  clock = setInterval(() => { status.textContent = `Waiting for the answer … ${Math.round((Date.now() - began) / 1000)} s`; }, 1000);
};

const rest = (said) => {
  const form = document.getElementById("fire");
  clearInterval(clock);
  if (!form) return;
  form.classList.remove("busy");
  form.removeAttribute("aria-busy");
  form.querySelector(".progress").textContent = said;
};

// The Bundle of a form, as the next page's form is to hold it; null for a file that is no UTF-8, which the service names.
const bundleOf = async (form) => {
  const [file] = form.elements.file.files;
  if (!file) return form.elements.bundle.value;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
    return text.trim() ? text : form.elements.bundle.value;
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
};

const turn = async (form, pressed) => {
  if (running) running.abort();
  const { signal } = running = new AbortController();
  wait(form);
  try {
    const sent = new FormData(form);
    if (pressed) sent.set(pressed.name, pressed.value);
    const bundle = await bundleOf(form);
    if (bundle !== null) sent.set("kept", "1");
    const answer = await fetch(form.action, { method: "POST", body: sent, headers: { Accept: "text/html" }, signal });
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    const main = next.querySelector("main");
    if (signal.aborted) return;
    running = null;
    if (!main) throw new Error("no page");
    const field = next.getElementById("bundle");
    if (field && bundle !== null) field.value = bundle;
    document.querySelector("main").replaceWith(main);
    document.title = next.title;
    rest("");
    offerCopies();
    const heading = document.getElementById("answer");
    if (heading) {
      heading.tabIndex = -1;
      heading.focus();
    }
  } catch (error) {
    if (!signal.aborted) rest("No answer came. Is the service running, and is the file still as it was? Try again.");
  }
};

const offerCopies = () => {
  for (const button of document.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
};

document.addEventListener("submit", (event) => {
  const [form, pressed] = [event.target, event.submitter];
  if (form.id !== "fire" || (pressed && pressed.value === "request")) return;
  if (pressed && pressed.hasAttribute("formaction")) return wait(form);
  event.preventDefault();
  turn(form, pressed);
});
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
  button.textContent = "Copied";
});
offerCopies();
// A page that comes back from the browser's memory waits for nothing.
addEventListener("pageshow", (event) => { if (event.persisted) rest(""); });
