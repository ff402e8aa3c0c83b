// Solves a small sum (ALTCHA: SHA-256 of salt and number) in slices once a person begins to fill in the form, so that their sign-up
// passes the stricter limits for robots. Without this script the form works too. It also moves the focus to the first mistake.
"use strict";
(() => {
  const FETCH_MS = 5000;
  const K = new Uint32Array(64);
  const START = new Uint32Array(8);
  const primes = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p)) primes.push(n);
  const bits = (x) => ((x - Math.floor(x)) * 4294967296) >>> 0;
  primes.forEach((p, i) => {
    K[i] = bits(Math.cbrt(p));
    if (i < 8) START[i] = bits(Math.sqrt(p));
  });
  const W = new Uint32Array(64);
  const turn = (x, n) => (x >>> n) | (x << (32 - n));
  // Not crypto.subtle: browsers offer it only on https pages, and a sum of 50,000 calls that each wait takes too long.
  const digest = (bytes) => {
    const H = Uint32Array.from(START);
    const data = new Uint8Array((((bytes.length + 8) >> 6) + 1) * 64);
    data.set(bytes);
    data[bytes.length] = 128;
    const view = new DataView(data.buffer);
    view.setUint32(data.length - 4, bytes.length * 8);
    for (let at = 0; at < data.length; at += 64) {
      for (let i = 0; i < 16; i++) W[i] = view.getUint32(at + i * 4);
      for (let i = 16; i < 64; i++) {
        const x = W[i - 15];
        const y = W[i - 2];
        W[i] = W[i - 16] + (turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)) + W[i - 7] + (turn(y, 17) ^ turn(y, 19) ^ (y >>> 10));
      }
      let [a, b, c, d, e, f, g, h] = H;
      for (let i = 0; i < 64; i++) {
        const t = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + W[i]) | 0;
        const u = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
        h = g; g = f; f = e; e = (d + t) | 0; d = c; c = b; b = a; a = (t + u) | 0;
      }
      H[0] += a; H[1] += b; H[2] += c; H[3] += d; H[4] += e; H[5] += f; H[6] += g; H[7] += h;
    }
    return Array.from(H, (word) => word.toString(16).padStart(8, "0")).join("");
  };
  const encoder = new TextEncoder();
  const pause = () => new Promise((done) => setTimeout(done, 0));

  // Return the number that solves the challenge, or null.
  const solve = async ({ challenge, salt, maxnumber }) => {
    let until = performance.now() + 12;
    for (let number = 0; number <= maxnumber; number++) {
      if (digest(encoder.encode(salt + number)) === challenge) return number;
      if (number % 64 === 0 && performance.now() > until) {
        await pause();
        until = performance.now() + 12;
      }
    }
    return null;
  };

  const prove = async (form) => {
    const field = form.elements["newsletter_signup[proof]"];
    try {
      const answer = await fetch(form.dataset.newsletterChallenge, {
        credentials: "omit", cache: "no-store", signal: AbortSignal.timeout(FETCH_MS),
      });
      if (!answer.ok) return;
      const { algorithm, challenge, salt, signature, maxnumber } = await answer.json();
      const number = await solve({ challenge, salt, maxnumber });
      if (number !== null) field.value = btoa(JSON.stringify({ algorithm, challenge, number, salt, signature }));
    } catch {
      field.value = ""; // the newsletter screens this sign-up as one without script
    }
  };

  const enhance = (form) => {
    let proof = null;
    let ready = false;
    let sending = false;
    const begin = () => (proof ??= prove(form).then(() => (ready = true)));
    form.addEventListener("focusin", begin);
    form.addEventListener("submit", async (event) => {
      if (ready || !form.requestSubmit) return; // Safari 15, the last of an iPhone 7, cannot send a form later
      event.preventDefault();
      if (sending) return;
      sending = true;
      form.setAttribute("aria-busy", "true");
      await begin();
      await pause(); // a form is not submitted again while its own submit event is still handled
      form.requestSubmit(event.submitter);
    });
    window.addEventListener("pageshow", (event) => {
      if (!event.persisted) return;
      proof = null; // a page from the browser's memory was sent before, so its proof is spent
      ready = sending = false;
      form.removeAttribute("aria-busy");
      form.elements["newsletter_signup[proof]"].value = "";
    });
  };

  document.querySelectorAll("form[data-newsletter-challenge]").forEach(enhance);
  const focusMistake = () => document.querySelector(".newsletter-signup [aria-invalid='true']")?.focus();
  window.addEventListener("load", () => setTimeout(focusMistake, 0)); // after the browser has moved to the form by its address
})();
