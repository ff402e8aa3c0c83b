// Takes a picture that is dropped or pasted on a picture field: Wagtail's chooser opens with it and asks for its description.
(() => {
  const CHOOSER = '.image-chooser';
  let droppedFile = null;

  // Marks the picture field over which a file is held.
  function hold(event) {
    const chooser = event.target.closest(CHOOSER);
    document.querySelectorAll('.nl-picture-target').forEach((marked) => {
      marked.classList.toggle('nl-picture-target', marked === chooser);
    });
    if (!chooser || !event.dataTransfer.types.includes('Files')) return;
    event.preventDefault();
    chooser.classList.add('nl-picture-target');
  }

  function drop(event) {
    const chooser = event.target.closest(CHOOSER);
    if (!chooser || !event.dataTransfer.files.length) return;
    event.preventDefault();
    chooser.classList.remove('nl-picture-target');
    open(chooser, event.dataTransfer.files[0]);
  }

  // A picture in the clipboard goes to the picture field in which the focus is.
  function paste(event) {
    const file = [...event.clipboardData.files].find(({ type }) => type.startsWith('image/'));
    const chooser = file && event.target.closest(CHOOSER);
    if (!chooser) return;
    event.preventDefault();
    open(chooser, file);
  }

  // Lets Wagtail take the title from the name of another file, if it took it from the one before.
  function renewTitle({ target }) {
    if (!target.matches('input[type=file][data-w-sync-target-value]')) return;
    const title = document.querySelector(target.dataset.wSyncTargetValue);
    if (title.value === target.dataset.nlTitle) title.value = '';
    target.dataset.nlTitle = target.files[0]?.name.replace(/\.[^.]+$/, '') || '';
  }

  function open(chooser, file) {
    droppedFile = file;
    chooser.widget.openChooserModal();
  }

  // In the chooser: shows the form for a new picture if one was dropped, or if the library is empty.
  class PictureChooser extends window.StimulusModule.Controller {
    static values = { empty: Boolean };

    connect() {
      if (!droppedFile && !this.emptyValue) return;
      const tabs = this.element.closest('[data-controller~="w-tabs"]');
      tabs.querySelector('#tab-search').hidden = true; // Wagtail hides only a tab that was chosen before
      tabs.dataset.wTabsActivePanelIdValue = 'tab-upload';
      if (droppedFile) setTimeout((file) => this.fill(file), 0, droppedFile);
      droppedFile = null;
    }

    fill(file) {
      const form = document.querySelector('#tab-upload form');
      const files = new DataTransfer();
      files.items.add(file);
      const input = form.querySelector('input[type=file]');
      input.files = files.files;
      input.dispatchEvent(new Event('input', { bubbles: true }));
      const description = form.querySelector('[name$=description]');
      window.jQuery(form.closest('.modal')).one('shown.bs.modal', () => description.focus()); // it takes the focus then
      description.focus();
    }
  }

  document.addEventListener('dragover', hold);
  document.addEventListener('drop', drop);
  document.addEventListener('paste', paste);
  document.addEventListener('input', renewTitle, true);
  window.wagtail.app.register('nl-picture-chooser', PictureChooser);
})();
