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

const rest = (form, said) => {
  clearInterval(clock);
  running = null;
  form.classList.remove("busy");
  form.removeAttribute("aria-busy");
  form.querySelector(".progress").textContent = said;
};

// A file becomes text of the form, so that it is there for the next button; one that is no UTF-8 stays a file, which the service names.
const readFile = async (form) => {
  const { bundle, file } = form.elements;
  if (!file.files.length) return;
  try {
    bundle.value = new TextDecoder("utf-8", { fatal: true }).decode(await file.files[0].arrayBuffer());
    file.value = "";
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
};

const sentBy = (form, pressed) => {
  const sent = new FormData(form);
  if (pressed) sent.set(pressed.name, pressed.value);
  if (sent.get("source") !== "bundle") for (const name of ["bundle", "file"]) sent.delete(name);
  sent.set("kept", "1");
  return sent;
};

const addressOf = (form) => {
  const address = new URL(form.action);
  address.username = address.password = "";
  return address;
};

// The form stays as it was filled, but for what is good once; everything around it is that of the next page.
const show = (form, next) => {
  const [main, others] = [document, next].map((page) => page.querySelector("main"));
  const [sim, other] = [main, others].map((one) => one.querySelector(".sim"));
  const called = form.elements.instance;
  if (called) called.remove();
  form.prepend(...other.querySelectorAll("[name=instance]"));
  if (form.elements.token) form.elements.token.value = "";
  sim.querySelector(".answer").replaceWith(other.querySelector(".answer"));
  for (const child of [...main.children]) if (child !== sim) child.remove();
  const around = [...others.children];
  sim.before(...around.slice(0, around.indexOf(other)));
  sim.after(...around.slice(around.indexOf(other) + 1));
  document.title = next.title;
  offerCopies();
  const heading = document.getElementById("answer");
  heading.tabIndex = -1;
  heading.scrollIntoView();
  heading.focus({ preventScroll: true });
};

const turn = async (form, pressed) => {
  if (running) running.abort();
  const { signal } = running = new AbortController();
  wait(form);
  try {
    await readFile(form);
    const answer = await fetch(addressOf(form), { method: "POST", body: sentBy(form, pressed), headers: { Accept: "text/html" }, signal });
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (signal.aborted) return;
    if (next.querySelector("main .sim #fire")) {
      show(form, next);
      rest(form, "");
    } else {
      const words = (next.querySelector("main") || next.body).textContent.trim().replace(/\s+/g, " ");
      rest(form, `The answer was ${answer.status}: ${words.slice(0, 300)}`);
    }
  } catch (error) {
    if (!signal.aborted) rest(form, "No answer came. Is the service running, and is the file still as it was? Try again.");
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
addEventListener("pageshow", (event) => {
  const form = document.getElementById("fire");
  if (event.persisted && form) rest(form, "");
});
