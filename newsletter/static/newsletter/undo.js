// Undoes and redoes changes of the form, also of deleted and moved blocks. A text field that has the focus undoes by itself.
(() => {
  const PAUSE_MS = 400; // a pause this long ends a step
  const MAX_STEPS = 100;
  const EVENTS = ['input', 'change', 'keyup', 'click', 'drop', 'w-unsaved:add'];
  const FIELDS = ['subject', 'preheader', 'layout', 'headline'];

  class Undo extends window.StimulusModule.Controller {
    connect() {
      this.form = this.element.closest('form');
      this.note = this.note.bind(this);
      this.press = this.press.bind(this);
      this.click = this.click.bind(this);
      EVENTS.forEach((name) => this.form.addEventListener(name, this.note, true));
      document.addEventListener('keydown', this.press);
      document.addEventListener('click', this.click);
      this.past = [];
      this.future = [];
      // Every block is drawn before this runs.
      this.timer = setTimeout(() => this.settle());
    }

    disconnect() {
      clearTimeout(this.timer);
      EVENTS.forEach((name) => this.form.removeEventListener(name, this.note, true));
      document.removeEventListener('keydown', this.press);
      document.removeEventListener('click', this.click);
    }

    get stream() {
      return document.getElementById('body-root')?.rootBlock;
    }

    get state() {
      const { elements } = this.form;
      const data = new FormData(this.form);
      [...elements].filter(({ draftailEditor }) => draftailEditor)
        .forEach((field) => data.set(field.name, readRichText(field)));
      return {
        written: new URLSearchParams(data).toString(),
        fields: Object.fromEntries(FIELDS.filter((name) => elements[name]).map((name) => [name, elements[name].value])),
        body: this.stream?.getState(),
      };
    }

    settle() {
      if (!this.stream) return;
      this.current = this.state;
      this.showButtons();
    }

    note({ type }) {
      if (type === 'click') this.check(); // Before the click changes anything: the last words typed are a step of their own.
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.check(), PAUSE_MS);
    }

    check() {
      if (!this.current) {
        this.settle();
        return;
      }
      const { state } = this;
      if (state.written !== this.current.written) {
        this.past = [...this.past, this.current].slice(-MAX_STEPS);
        this.future = [];
      }
      this.current = state;
      this.showButtons();
    }

    step(from, to) {
      if (!from.length) return;
      to.push(this.current);
      this.restore(from.pop());
      this.settle();
    }

    undo() {
      this.check();
      this.step(this.past, this.future);
    }

    redo() {
      this.check();
      this.step(this.future, this.past);
    }

    restore({ fields, body }) {
      Object.entries(fields).forEach(([name, value]) => {
        const field = this.form.elements[name];
        if (field.value === value) return;
        field.value = value;
        field.dispatchEvent(new Event('input', { bubbles: true }));
      });
      const openBlocks = this.stream.children.filter(({ toggleElement }) => isOpen(toggleElement));
      const opened = new Set(openBlocks.map(({ id }) => id));
      this.stream.setState(body);
      this.stream.children.filter(({ id }) => !opened.has(id)).forEach((child) => child.collapse());
      this.dispatch('restored');
      this.form.dispatchEvent(new Event('change'));
    }

    showButtons() {
      document.querySelectorAll('[data-nl-undo]').forEach((button) => {
        button.disabled = !(button.dataset.nlUndo === 'undo' ? this.past : this.future).length;
      });
    }

    click({ target }) {
      const button = target.closest('[data-nl-undo]');
      if (button) this[button.dataset.nlUndo]();
    }

    press(event) {
      if (!(event.ctrlKey || event.metaKey) || event.altKey || !['z', 'y'].includes(event.key.toLowerCase())) return;
      if (event.target.closest('input:not([type=hidden]), textarea, [contenteditable=true]')) return;
      event.preventDefault();
      if (event.shiftKey || event.key.toLowerCase() === 'y') this.redo();
      else this.undo();
    }
  }

  // The editor of rich text writes to its field with a delay, which is long on a slow computer, and in another order of keys.
  function readRichText({ draftailEditor }) {
    return JSON.stringify(window.DraftJS.convertToRaw(draftailEditor.getEditorState().getCurrentContent()));
  }

  function isOpen(button) {
    return button.getAttribute('aria-expanded') === 'true';
  }

  window.wagtail.app.register('nl-undo', Undo);
})();
