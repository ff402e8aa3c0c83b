// Fills the fields of a brand's form with a finished look, and marks the look that the form has now.
(() => {
  const valuesOf = (button) => Object.entries(JSON.parse(button.dataset.nlLook));

  function mark(form, looks) {
    for (const button of looks) {
      const isSame = ([name, value]) => form.elements[name].value.toLowerCase() === String(value).toLowerCase();
      button.setAttribute('aria-pressed', String(valuesOf(button).every(isSame)));
    }
  }

  function fill(form, button) {
    for (const [name, value] of valuesOf(button)) {
      const field = form.elements[name];
      field.value = value;
      for (const kind of ['input', 'change']) field.dispatchEvent(new Event(kind, { bubbles: true }));
    }
    const status = form.querySelector('[data-nl-look-status]');
    status.textContent = status.dataset.nlLookStatus.replace('{name}', button.querySelector('b').textContent);
  }

  function start() {
    const looks = [...document.querySelectorAll('[data-nl-look]')];
    const form = looks[0]?.closest('form');
    if (!form) return;
    for (const button of looks) button.addEventListener('click', () => fill(form, button));
    form.addEventListener('input', () => mark(form, looks));
    mark(form, looks);
  }

  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start);
  else start();
})();
