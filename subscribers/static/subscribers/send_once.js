// Sends each form once and shows that it is being sent: a second press before the answer comes does nothing. Without
// this script each form works too, and the server answers a second press like the first.
"use strict";
(() => {
  const SENT_MS = 30000; // somebody may have stopped the page from loading, so the form is free again after this
  const FILE_MS = 3000; // the answer is a file, so this page stays
  const { busy } = document.currentScript.dataset;
  const timers = new Map();

  // The text is in the page from the start and is only filled later: screen readers read a change of a region they know.
  const status = document.createElement("p");
  status.className = "unseen";
  status.setAttribute("role", "status");
  document.querySelector("main")?.append(status);

  function release(form) {
    clearTimeout(timers.get(form));
    timers.delete(form);
    form.removeAttribute("aria-busy");
    form.querySelector("[data-pressed]")?.removeAttribute("data-pressed");
    status.textContent = "";
  }

  function showBusy(form, submitter) {
    if (form.querySelector("[data-pressed]")) return;
    const isSeen = submitter && !submitter.closest(".trap"); // Safari before 15.4 does not say which button was pressed
    form.setAttribute("aria-busy", "true");
    (isSeen ? submitter : form.querySelector("button:not([tabindex])"))?.setAttribute("data-pressed", "");
    status.textContent = busy;
  }

  document.addEventListener("submit", (event) => {
    const { target: form, submitter } = event;
    if (form.method !== "post") return;
    if (timers.has(form)) {
      event.preventDefault();
      return;
    }
    showBusy(form, submitter);
    if (event.defaultPrevented) return; // the sign-up form first solves its sum, and is then sent
    timers.set(form, setTimeout(() => release(form), "file" in form.dataset ? FILE_MS : SENT_MS));
  });

  addEventListener("pageshow", (event) => {
    if (event.persisted) [...timers.keys()].forEach(release);
  });
})();
