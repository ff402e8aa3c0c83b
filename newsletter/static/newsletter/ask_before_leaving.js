// Asks before a page of the desk is left while a form has a text or choice that was not sent. Wagtail's w-unsaved asks for the
// forms of rows and for the editor; this is for all others.
(() => {
  const OF_WAGTAIL = '[data-controller~="w-unsaved"]';
  const TYPES = ['text', 'email', 'url', 'tel', 'file', 'number', 'datetime-local', 'date', 'time'].map((type) => `[type=${type}]`);
  const TYPED = `textarea, select, input:is(${TYPES.join(', ')}, :not([type])), [data-draftail-input]`;
  const shownTexts = new Map(); // form: its texts and choices before somebody changed them
  let sentForm = null;

  function isOurs(form) {
    const isInDesk = document.querySelector('[data-wagtail-sidebar]') && form?.closest('main');
    return isInDesk && form.method === 'post' && !form.matches(OF_WAGTAIL);
  }

  function readTexts(form) {
    [...form.elements].forEach(({ draftailEditor }) => draftailEditor?.saveState());
    return JSON.stringify([...form.querySelectorAll(TYPED)].map(({ value }) => value));
  }

  // A form that the server refused has its texts on the page only.
  function setBaseline(form) {
    shownTexts.set(form, form.querySelector('[aria-invalid="true"]') ? '' : readTexts(form));
  }

  function hasUnsentText(form) {
    return form.isConnected && form !== sentForm && readTexts(form) !== shownTexts.get(form);
  }

  function readOnce({ target }) {
    const form = target.closest?.('form');
    if (isOurs(form) && !shownTexts.has(form)) setBaseline(form);
  }

  // A field can have the focus before this script runs, and a file can be dropped without any.
  ['focusin', 'pointerdown', 'keydown', 'beforeinput', 'dragenter'].forEach((name) => addEventListener(name, readOnce, true));

  addEventListener('input', ({ target }) => {
    if (target.closest('form') === sentForm) sentForm = null;
  });

  addEventListener('submit', (event) => {
    if (!event.defaultPrevented) sentForm = event.target;
  });

  addEventListener('beforeunload', (event) => {
    if ([...shownTexts.keys()].some(hasUnsentText)) event.preventDefault();
  });
})();
