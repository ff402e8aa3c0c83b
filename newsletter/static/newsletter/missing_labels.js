// Names what Wagtail draws without a name of its own: sections, groups of choices, long texts, tags, dialogs, and who else has
// the page open. Blocks and dialogs are drawn later than the page, so this looks again after each change of the page.
(() => {
  const clean = (text) => (text ?? '').replace(/[*\s]+/g, ' ').trim();

  function label(control, text) {
    if (control && clean(text)) control.setAttribute('aria-label', clean(text));
  }

  function group(element, text) {
    if (!element || !clean(text)) return;
    element.setAttribute('role', 'group');
    label(element, text);
  }

  // A block has the label of its field beside the field, a panel of a form outside it, and a dialog inside.
  function findLabel(field) {
    const around = ['[data-field-wrapper], .w-field__wrapper', '.w-panel__wrapper, [data-contentpath]:not(.w-field)'];
    return around.map((selector) => field.closest(selector)?.querySelector('label')?.textContent).find(clean);
  }

  // Wagtail calls the button of every section “Toggle section”. An item of a list may have no title yet.
  function labelSections() {
    document.querySelectorAll('[data-panel-toggle]').forEach((button) => {
      const heading = button.parentElement.querySelector('[data-panel-heading]');
      const title = clean(heading?.textContent);
      const text = title || describeItem(button.closest('[data-streamfield-child]'));
      if (!title && text) heading?.setAttribute('data-nl-untitled', text);
      else heading?.removeAttribute('data-nl-untitled');
      if (!text || button.getAttribute('aria-label') === text) return;
      label(button, text);
      button.removeAttribute('aria-describedby');
    });
  }

  // A button of a block, such as “Move up”, is named after its block too.
  function labelActions() {
    document.querySelectorAll('[data-streamfield-child] [data-panel-toggle]').forEach((toggle) => {
      const block = clean(toggle.getAttribute('aria-label'));
      const header = toggle.closest('.w-panel__header');
      if (!block || !header) return;
      header.querySelectorAll('[data-streamfield-action]:not([data-streamfield-action=DRAG]), .nl-block-action').forEach((button) => {
        const action = clean(button.textContent) || clean(button.title);
        const text = `${action}: ${block}`;
        if (action && button.getAttribute('aria-label') !== text) label(button, text);
      });
    });
  }

  // Wagtail calls the link to Home “Dashboard”.
  function labelHome() {
    const link = document.querySelector('.sidebar-custom-branding');
    label(link, link?.querySelector('[data-nl-name]')?.dataset.nlName);
  }

  function describeItem(item) {
    const items = item ? [...item.parentElement.children].filter((other) => other.matches('[data-streamfield-child]')) : [];
    const list = item?.parentElement.closest('[data-contentpath]')?.querySelector('label')?.textContent;
    return list ? `${clean(list)} ${items.indexOf(item) + 1}` : '';
  }

  // Wagtail marks the label of checkboxes and of a chooser as if it belonged to one control, or as a heading.
  function labelGroups() {
    document.querySelectorAll('.w-panel__wrapper > h3.w-field__label:not([id]) ~ [data-field-wrapper]:not([role])')
      .forEach((wrapper) => group(wrapper, wrapper.parentElement.querySelector('h3').textContent));
    document.querySelectorAll('.chooser[id]:not([role])').forEach((chooser) => {
      const id = CSS.escape(chooser.id.replace(/-chooser$/, ''));
      group(chooser, document.querySelector(`label[for="${id}"]`)?.textContent);
    });
    document.querySelectorAll('[data-contentpath]:not([role]) > div > [data-streamfield-list-container]').forEach((list) => {
      const wrapper = list.parentElement.parentElement;
      group(wrapper, wrapper.querySelector(':scope > label')?.textContent);
    });
  }

  function labelFields() {
    const unnamed = ['.tagit-new input', '.public-DraftEditor-content:not([aria-labelledby])'];
    document.querySelectorAll(unnamed.map((field) => `${field}:not([aria-label])`)).forEach((field) => {
      label(field, findLabel(field));
    });
    label(document.getElementById('fileupload'), document.querySelector('.replace-file-input button')?.textContent);
  }

  // The handle by which a mouse drags a block does nothing for the keyboard, which has “Move up” and “Move down”.
  function skipHandles() {
    document.querySelectorAll('[data-streamfield-action="DRAG"]:not([tabindex])').forEach((handle) => {
      handle.setAttribute('tabindex', '-1');
      handle.setAttribute('aria-hidden', 'true');
    });
  }

  // Wagtail's tooltip has taken the name out of the button by now.
  function labelSessions() {
    document.querySelectorAll('.w-editing-sessions__session:not([aria-label])').forEach((session) => {
      const tooltip = session._tippy?.props.content;
      label(session, tooltip?.textContent ?? tooltip);
    });
  }

  function labelAll() {
    labelSections();
    labelActions();
    labelHome();
    labelGroups();
    labelFields();
    skipHandles();
    labelSessions();
  }

  // Wagtail's dialogs have a heading and no name.
  window.jQuery?.(document).on('shown.bs.modal', ({ target }) => {
    label(target, target.querySelector('h1, h2')?.textContent);
    target.setAttribute('aria-modal', 'true');
  });

  addEventListener('load', () => {
    let isPlanned = false;
    const plan = () => {
      if (isPlanned) return;
      isPlanned = true;
      setTimeout(() => { isPlanned = false; labelAll(); }, 50);
    };
    labelAll();
    new MutationObserver(plan).observe(document.body, { childList: true, subtree: true });
  });
})();
