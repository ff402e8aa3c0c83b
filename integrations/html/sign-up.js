// Checks the address before the visitor leaves your page, says what is wrong beside the field, and sends the form once.
// It calls nobody and keeps nothing. Without it the form works too, and the newsletter's own page says the same.
"use strict";
document.querySelectorAll("form[data-newsletter-sign-up]").forEach((form, number) => {
  const field = form.elements.email;
  const error = document.createElement("span");
  error.id = `newsletter-sign-up-error-${number}`;
  error.setAttribute("role", "alert");
  // the text keeps the colour of your page, so that it can be read on a dark one too
  error.style.cssText = "display: block; font-weight: 600; border-inline-start: 0.25em solid #d93025; padding-inline-start: 0.5em";
  (field.closest("label") ?? field).before(error);
  form.noValidate = true; // the browser's own bubbles disappear and speak its language, not the page's

  const check = () => {
    const { missing, wrong } = form.dataset;
    const { valueMissing, valid } = field.validity;
    error.textContent = valid && field.value.trim() ? "" : valueMissing ? missing : wrong;
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
    if (!error.textContent) return true;
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", error.id);
    return false;
  };

  let sent = false;
  form.addEventListener("submit", (event) => {
    if (sent || !check()) event.preventDefault();
    else sent = true;
    if (error.textContent) field.focus();
  });
  field.addEventListener("input", () => field.hasAttribute("aria-invalid") && check());
  window.addEventListener("pageshow", () => (sent = false)); // a page from the browser's memory
});
