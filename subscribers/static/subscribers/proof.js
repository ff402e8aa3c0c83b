// Solves the sum that the sign-up form carries (ALTCHA: SHA-256 of salt and number), in small slices, once the
// person begins to fill the form in. Without it the form works too; it may then take a person to let the sign-up in.
"use strict";
(() => {
  const form = document.querySelector("form[data-proof]");
  if (!form) return;
  const field = form.elements.altcha;
  const { challenge, salt, signature } = form.dataset;
  const most = Number(form.dataset.most);
  const K = new Uint32Array(64);
  const START = new Uint32Array(8);
  (() => {
    const primes = [];
    for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p)) primes.push(n);
    const bits = (x) => ((x - Math.floor(x)) * 4294967296) >>> 0;
    primes.forEach((p, i) => {
      K[i] = bits(Math.cbrt(p));
      if (i < 8) START[i] = bits(Math.sqrt(p));
    });
  })();
  const W = new Uint32Array(64);
  const turn = (x, n) => (x >>> n) | (x << (32 - n));
  const digest = (bytes) => {
    const H = Uint32Array.from(START);
    const blocks = ((bytes.length + 8) >> 6) + 1;
    const data = new Uint8Array(blocks * 64);
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
  let next = 0;
  let state = "idle";
  let sending = false;
  let button = null;
  const finish = (number) => {
    state = "done";
    if (number !== null) {
      field.value = btoa(JSON.stringify({ algorithm: "SHA-256", challenge, number, salt, signature }));
    }
    if (sending) setTimeout(() => form.requestSubmit(button)); // browsers ignore it inside the submit event
  };
  const work = () => {
    const until = performance.now() + 12;
    while (next <= most) {
      if (digest(encoder.encode(salt + next)) === challenge) return finish(next);
      next++;
      if (next % 64 === 0 && performance.now() > until) return void setTimeout(work, 0);
    }
    return finish(null);
  };
  const begin = () => {
    if (state !== "idle") return;
    state = "working";
    work();
  };
  form.addEventListener("focusin", begin, { once: true });
  form.addEventListener("submit", (event) => {
    if (state === "done" || !form.requestSubmit) return; // Safari 15, the last of an iPhone 7, cannot send a form later
    event.preventDefault();
    if (sending) return;
    sending = true;
    button = event.submitter;
    form.setAttribute("aria-busy", "true");
    begin();
  });
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    if (!("answer" in form.dataset)) return void location.reload(); // for a new sum
    sending = false; // this page answers a form, so the browser would ask whether to send that again
    form.removeAttribute("aria-busy");
  });
})();
