// Labels what Wagtail draws without one: two fields of the picture library, long texts, dialogs, and who else has the page open.
(() => {
  function label(control, text) {
    if (control && text) control.setAttribute('aria-label', text.replace(/[*\s]+/g, ' ').trim());
  }

  // Wagtail's tooltip has taken the name out of the button by now.
  function labelSessions() {
    document.querySelectorAll('.w-editing-sessions__session:not([aria-label])').forEach((session) => {
      const tooltip = session._tippy?.props.content;
      label(session, tooltip?.textContent ?? tooltip);
    });
  }

  // Wagtail's dialogs have a heading and no name.
  window.jQuery?.(document).on('shown.bs.modal', ({ target }) => {
    label(target, target.querySelector('h1, h2')?.textContent);
    target.setAttribute('aria-modal', 'true');
  });

  addEventListener('load', () => {
    label(document.querySelector('.tagit-new input'), document.querySelector('label[for=id_tags]')?.textContent);
    document.querySelectorAll('.public-DraftEditor-content:not([aria-label], [aria-labelledby])').forEach((text) => {
      label(text, text.closest('.w-field__wrapper, [data-field-wrapper]')?.querySelector('label')?.textContent);
    });
    label(document.getElementById('fileupload'), document.querySelector('.replace-file-input button')?.textContent);
    labelSessions();
    const sessions = document.querySelector('.w-editing-sessions');
    if (sessions) new MutationObserver(labelSessions).observe(sessions, { childList: true, subtree: true });
  });
})();
