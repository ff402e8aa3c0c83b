// Asks before a page of the desk is left while a form has typed text that was not sent. Wagtail's w-unsaved asks for the forms
// of rows and for the editor; this is for all others.
(() => {
  const OF_WAGTAIL = '[data-controller~="w-unsaved"]';
  const TYPES = ['text', 'email', 'url', 'file', 'number', 'datetime-local', 'date'].map((type) => `[type=${type}]`);
  const TYPED = `textarea, input:is(${TYPES.join(', ')}, :not([type])), [data-draftail-input]`;
  const shownTexts = new Map(); // form: its texts before somebody typed
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

  addEventListener('focusin', ({ target }) => {
    const form = target.closest('form');
    if (isOurs(form) && !shownTexts.has(form)) setBaseline(form);
  });

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
