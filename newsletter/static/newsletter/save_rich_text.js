// Puts the newest words of every rich text into its field before the form is sent. Wagtail's editor writes them a quarter of a
// second later, so a form that is saved at once would lose them.
(() => {
  addEventListener('submit', ({ target }) => {
    [...target.elements].forEach(({ draftailEditor }) => draftailEditor?.saveState());
  }, true); // before every script that reads or sends the form
})();
