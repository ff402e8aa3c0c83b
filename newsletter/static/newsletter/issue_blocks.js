// Opens one block of the form at a time: a block that a link names, or that the mail asks for. Keeps their lines up to date.
(() => {
  const FIELDS = 'input:not([type=hidden]), textarea, select, [contenteditable=true], button:not([data-panel-toggle])';

  const SHOWN_MS = 50; // what is hidden takes no focus
  const SETTLE_MS = 700; // the rich text editor writes to its field with a delay
  const EVENTS = ['input', 'change', 'focusin'];
  const BARS = ['.w-slim-header', 'form > footer.footer'];
  const OPENED = '.c-sf-add-button[aria-expanded=true]';

  class IssueBlocks extends window.StimulusModule.Controller {
    static targets = ['actions'];

    connect() {
      this.openLinked = this.openLinked.bind(this);
      this.note = this.note.bind(this);
      EVENTS.forEach((name) => this.element.addEventListener(name, this.note));
      this.follow = this.follow.bind(this);
      this.press = this.press.bind(this);
      window.addEventListener('load', this.openLinked);
      document.addEventListener('click', this.follow);
      document.addEventListener('keydown', this.press, true);
      this.element.addEventListener('click', focusSearch);
      this.observer = new ResizeObserver(leaveRoomForBars);
      document.querySelectorAll(BARS).forEach((bar) => this.observer.observe(bar));
      // Every block is drawn before this runs.
      this.timer = setTimeout(() => {
        this.openOverrides();
        this.addActions();
      });
    }

    disconnect() {
      clearTimeout(this.timer);
      clearTimeout(this.settling);
      this.observer.disconnect();
      EVENTS.forEach((name) => this.element.removeEventListener(name, this.note));
      window.removeEventListener('load', this.openLinked);
      document.removeEventListener('click', this.follow);
      document.removeEventListener('keydown', this.press, true);
      this.element.removeEventListener('click', focusSearch);
    }

    get stream() {
      return document.getElementById('body-root')?.rootBlock;
    }

    note() {
      this.addActions();
      this.showTitles();
      clearTimeout(this.settling);
      this.settling = setTimeout(() => this.showTitles(), SETTLE_MS);
    }

    showTitles() {
      showTitles(this.stream);
      this.dispatch('titled');
    }

    // Adds our links to the buttons of each block.
    addActions() {
      if (!this.hasActionsTarget) return;
      this.stream?.children.forEach(({ id, actionsContainerElement: container }) => {
        if (container.querySelector('.nl-block-action')) return;
        const actions = document.importNode(this.actionsTarget.content, true);
        actions.querySelectorAll('a').forEach((link) => {
          link.search = new URLSearchParams({ block: id, back: 'editor' });
        });
        container.append(actions);
      });
    }

    // What only this issue says differently is not hidden.
    openOverrides() {
      this.element.querySelectorAll('.nl-overrides').forEach((group) => {
        const values = [...group.querySelectorAll('input, textarea')].filter((field) => field.name && field.value);
        if (values.length) toggle(group.closest('[data-panel]'), true);
      });
    }

    openLinked() {
      this.showNamed(window.location.hash.slice(1));
    }

    open({ detail: { key } }) {
      this.showNamed(`block-${key}-section`);
    }

    // Follows a link to a part of the form within the page.
    follow(event) {
      const link = event.target.closest('a[href*="#"]:not([data-panel-anchor], .w-panel__anchor)');
      if (link?.pathname === window.location.pathname && this.showNamed(link.hash.slice(1))) event.preventDefault();
    }

    // Escape closes the choice of a block. Its field has the focus then, so the button that opened it gets it back.
    press({ key, target }) {
      if (key === 'Escape' && target.closest?.('.w-combobox')) this.element.querySelector(OPENED)?.focus();
    }

    showNamed(id) {
      const target = document.getElementById(id);
      if (!target || !this.element.contains(target)) return false;
      this.show(target);
      return true;
    }

    // Opens what leads to a part of the form, closes the neighbours of its block, and moves the focus to its first field.
    show(target) {
      const child = target.closest('[data-streamfield-child]');
      const neighbours = child ? [...child.parentElement.children].filter((element) => element !== child) : [];
      neighbours.forEach((element) => toggle(element, false));
      // On a phone, the panel beside the form covers it.
      const isPhone = window.matchMedia('(max-width: 50rem)').matches;
      if (isPhone) document.querySelector('[data-side-panel-toggle][aria-expanded=true]')?.click();
      for (let panel = target.closest('[data-panel]'); panel; panel = panel.parentElement.closest('[data-panel]')) {
        toggle(panel, true);
      }
      const content = target.matches('[data-panel]') ? target.querySelector('.w-panel__content') : target;
      content.querySelector(FIELDS)?.focus({ preventScroll: true });
      target.scrollIntoView({ block: 'start' });
    }
  }

  // Whoever opened the choice of a block by keyboard types its name next.
  function focusSearch({ target, detail }) {
    if (detail || !target.closest('.c-sf-add-button')) return;
    setTimeout(() => document.querySelector('.w-combobox input')?.focus(), SHOWN_MS);
  }

  // The header and the bar with “Save” stay in view. The header has one to three rows: Wagtail leaves room for one, on a phone for
  // two. It leaves none for the bar, which would cover what the Tab key reaches.
  function leaveRoomForBars() {
    const [header, bar] = BARS.map((selector) => document.querySelector(selector)?.offsetHeight ?? 0);
    const { style } = document.querySelector('.content-wrapper');
    style.scrollPaddingBlock = `calc(${header}px + 1rem) calc(${bar}px + 1rem)`;
  }

  // Writes the line of each block and of each item of its lists as its fields are now.
  function showTitles(sequence) {
    sequence?.children.forEach((child) => {
      const title = child.getTextLabel({ maxLength: 70 }) || '';
      if (child.titleElement.text() !== title) child.titleElement.text(title);
      Object.values(child.block.childBlocks || {}).filter(({ children }) => children).forEach(showTitles);
    });
  }

  function toggle(element, opened) {
    const button = element.querySelector('[data-panel-toggle]');
    if (button && button.getAttribute('aria-expanded') !== String(opened)) button.click();
  }

  window.wagtail.app.register('nl-blocks', IssueBlocks);
})();
