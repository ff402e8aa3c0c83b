// Keeps the focus where Wagtail loses it: a dialog returns it to where it was opened, a moved block keeps it, and a deleted
// block passes it on. Without this, the keyboard is at the top of the page again. On a phone, the panel beside the form lies
// over it, so it closes when the focus goes there. The Tab key leaves a text.
(() => {
  const openers = new Map(); // dialog: the button that opened it, and its chooser
  let pressed = {}; // Wagtail disables the button before the dialog is there, so that it has no focus by then

  const canFocus = (element) => element?.isConnected && !element.disabled && element.getClientRects().length > 0;
  const isLost = () => document.activeElement === document.body;
  const focusFirst = (elements) => [...elements].find(canFocus)?.focus();

  function followBlock(button) {
    const child = button.closest('[data-streamfield-child]');
    const add = child.nextElementSibling; // Wagtail hides the button above a deleted block
    const isDeleted = button.dataset.streamfieldAction === 'DELETE';
    // Wagtail acts on the same press, but later.
    setTimeout(() => {
      if (isDeleted) focusFirst(add.matches('button') ? [add] : add.querySelectorAll('button'));
      else if (isLost()) focusFirst([button, ...child.querySelectorAll('[data-streamfield-action^=MOVE]')]);
    });
  }

  addEventListener('click', ({ target, detail }) => {
    const button = target.closest?.('button, a[href]');
    if (!button) return;
    // A button of a menu is in the page only while the menu is open.
    if (!button.closest('.modal')) pressed = { button, chooser: button.closest('.chooser') };
    // A mouse has its place, whatever has the focus.
    if (!detail && button.matches('[data-streamfield-action^=MOVE], [data-streamfield-action=DELETE]')) followBlock(button);
  }, true);

  // The editor of texts would keep the Tab key in a list, and indent the line with each press.
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Tab' && event.target.closest?.('.Draftail-Editor [contenteditable=true]')) event.stopPropagation();
  }, true);

  addEventListener('focusin', ({ target }) => {
    if (!window.matchMedia('(max-width: 50rem)').matches || target.closest('.form-side')) return;
    if (!target.closest('form .w-panel, form > footer')) return;
    document.querySelector('[data-side-panel-toggle][aria-expanded=true]')?.click();
  });

  window.jQuery?.(document).on('show.bs.modal', ({ target }) => openers.set(target, pressed));

  // The opener may be hidden by now, because something is chosen: then the chooser's other button gets the focus.
  window.jQuery?.(document).on('hidden.bs.modal', ({ target }) => {
    const { button, chooser } = openers.get(target) ?? {};
    openers.delete(target);
    if (isLost()) focusFirst([button, ...chooser?.querySelectorAll('button') ?? []]);
  });
})();
