// Sends each form of the desk once, and a form with fields only if the server can answer: a double click does nothing
// twice, and no typed text is lost when the session has ended. The forms of rows and the editor have scripts of their
// own for this. The button shows that it is busy.
(() => {
  const { saveObstacles } = window;
  const texts = document.currentScript.dataset;
  const OWN_SCRIPT = '[data-controller~="nl-keep-text"], [data-controller~="nl-keep-edits"]';
  const TYPES = ['text', 'email', 'url', 'file', 'number', 'datetime-local', 'date'].map((type) => `[type=${type}]`);
  const TYPED = `textarea:not([readonly]), input:is(${TYPES.join(', ')}, :not([type]))`;
  const ASKED = 'asked';
  const ALLOWED = 'allowed';
  const SENT = 'sent';
  const SENT_MS = 10000; // a form that is answered by a file stays on the page, so it is free again after this
  const isInDesk = window.location.pathname.startsWith(texts.homeUrl); // nobody is signed in yet where people sign in
  const states = new WeakMap();
  const waits = new Map(); // form: the function that ends the wait for its answer
  const warnings = new Map(); // form: the paragraph that says why it was not sent

  function isOurs(form) {
    return form.method === 'post' && form.target === '' && !form.closest('.modal') && !form.querySelector(OWN_SCRIPT);
  }

  // A region that is in the page from the start: screen readers read what is written into it later.
  const status = document.createElement('p');
  status.className = 'w-sr-only';
  status.setAttribute('role', 'status');
  addEventListener('DOMContentLoaded', () => document.body.append(status));

  function showBusy(form, submitter) {
    form.setAttribute('aria-busy', 'true');
    submitter?.setAttribute('data-nl-pressed', '');
    status.textContent = texts.busy;
  }

  function release(form) {
    waits.get(form)?.();
    waits.delete(form);
    states.delete(form);
    form.removeAttribute('aria-busy');
    // A button may be outside its form.
    document.querySelectorAll('[data-nl-pressed]').forEach((button) => button.removeAttribute('data-nl-pressed'));
    status.textContent = '';
  }

  function markSent(form, submitter) {
    states.set(form, SENT);
    showBusy(form, submitter);
    waits.set(form, saveObstacles.whenStopped(() => release(form), SENT_MS));
  }

  function hide(form) {
    warnings.get(form)?.remove();
    warnings.delete(form);
  }

  function show(form, obstacle, submitter) {
    hide(form);
    const box = document.createElement('p');
    box.className = 'nl-unsure nl-unsure--wrong';
    box.setAttribute('role', 'alert');
    box.textContent = obstacle === saveObstacles.OFFLINE ? texts.offline : `${texts.signedOut} `;
    if (obstacle === saveObstacles.SIGNED_OUT) {
      const link = document.createElement('a');
      link.href = texts.signInUrl;
      link.target = '_blank';
      link.textContent = texts.signIn;
      box.append(link);
    }
    (submitter?.closest('.nl-buttons, p') ?? submitter ?? form.lastElementChild).before(box);
    warnings.set(form, box);
  }

  async function sendIfPossible(form, submitter) {
    states.set(form, ASKED);
    showBusy(form, submitter);
    const obstacle = await saveObstacles.find(texts.homeUrl);
    if (obstacle) {
      release(form);
      show(form, obstacle, submitter);
      return;
    }
    hide(form);
    states.set(form, ALLOWED);
    form.requestSubmit(submitter);
    if (states.get(form) === ALLOWED) release(form); // the browser found an empty field
  }

  document.addEventListener('submit', (event) => {
    const { target: form, submitter } = event;
    if (event.defaultPrevented || !isOurs(form)) return;
    const state = states.get(form);
    if (state === ALLOWED || (!state && !(isInDesk && form.querySelector(TYPED)))) {
      markSent(form, submitter);
      return;
    }
    event.preventDefault();
    if (!state) sendIfPossible(form, submitter);
  });

  async function checkAgain() {
    if (warnings.size && !(await saveObstacles.find(texts.homeUrl))) [...warnings.keys()].forEach(hide);
  }

  addEventListener('focus', checkAgain);
  addEventListener('online', checkAgain);
  addEventListener('pageshow', (event) => {
    if (event.persisted) document.querySelectorAll('form').forEach(release);
  });
})();
