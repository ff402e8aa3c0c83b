// “Tell the newsletter” without leaving the editor. Without this script the button opens a page that does the same.
"use strict";
document.querySelectorAll("[data-newsletter-tell]").forEach((button) => {
  const answer = button.closest("p").nextElementSibling;
  let asking = false;
  button.addEventListener("click", async (event) => {
    event.preventDefault();
    if (asking) return;
    asking = true;
    button.setAttribute("aria-disabled", "true");
    answer.textContent = "…";
    try {
      const response = await fetch(button.dataset.newsletterTell, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-WP-Nonce": button.dataset.nonce },
        body: JSON.stringify({ post: Number(button.dataset.post) }),
      });
      const { message } = await response.json();
      answer.textContent = message || button.dataset.failed;
    } catch {
      answer.textContent = button.dataset.failed;
    }
    asking = false;
    button.removeAttribute("aria-disabled");
  });
});
