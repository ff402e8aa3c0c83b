// Previews subject and preheader while they are typed, counts their characters, and inserts personal fields at the caret.
(() => {
  const FIELD = /\{\{\s*[a-z_]+\s*(?:\|\s*default\s*:\s*["“'‘]([^"”'’]*)["”'’]\s*)?\}\}/g;
  const ELIGIBLE = [
    '#id_subject',
    '#id_preheader',
    '[name^="body-"][name$="-value-heading"]',
    '.Draftail-Editor [contenteditable="true"]',
  ].join(', ');

  class Inbox extends window.StimulusModule.Controller {
    static targets = ['lengths', 'toolbar'];

    static values = { shown: Number, least: Number, most: Number };

    connect() {
      this.fields = ['subject', 'preheader'].map((name) => document.getElementById(`id_${name}`));
      // The toolbar moves to the focused field, out of this element, so its target would not be found.
      this.toolbar = this.toolbarTarget;
      this.toolbar.addEventListener('mousedown', (event) => event.preventDefault());
      this.toolbar.addEventListener('click', (event) => this.put(event.target.closest('button')));
      this.follow = this.follow.bind(this);
      this.count = this.count.bind(this);
      this.fields.forEach((field) => field.addEventListener('input', this.count));
      document.addEventListener('focusin', this.follow);
      this.show();
    }

    disconnect() {
      this.fields.forEach((field) => field.removeEventListener('input', this.count));
      document.removeEventListener('focusin', this.follow);
    }

    show() {
      const fill = ({ value }) => value.replace(FIELD, (_, fallback) => fallback || '…').trim();
      const [subject, preheader] = this.fields.map(fill);
      Object.entries({ subject, preheader }).forEach(([name, text]) => {
        const row = document.querySelector(`[data-nl-inbox="${name}"]`);
        if (row) row.textContent = text || '–';
      });
      const { subject: subjectText, preheader: preheaderText } = this.lengthsTarget.dataset;
      this.lengths = [
        subjectText.replace('{n}', window.countCharacters(subject)).replace('{m}', this.shownValue),
        preheaderText
          .replace('{n}', window.countCharacters(preheader))
          .replace('{a}', this.leastValue)
          .replace('{b}', this.mostValue),
      ];
      const text = this.lengths.join(' ');
      if (this.lengthsTarget.textContent !== text) this.lengthsTarget.textContent = text;
    }

    count({ target }) {
      this.show();
      window.announceAfterPause(this.lengths[this.fields.indexOf(target)]);
    }

    // Moves the buttons to the line of the focused field's label, so that nothing else moves.
    follow(event) {
      const field = event.target.closest(ELIGIBLE);
      if (!field || field.readOnly || field.disabled) return;
      this.field = field;
      const wrapper = field.closest('.w-panel__wrapper') || field.closest('[data-contentpath]');
      if (this.toolbar.parentElement !== wrapper) wrapper.append(this.toolbar);
      this.toolbar.hidden = false;
    }

    put(button) {
      if (!button || !this.field || !this.field.isConnected) return;
      this.field.focus();
      document.execCommand('insertText', false, `{{ ${button.dataset.field} | default:"${button.dataset.fallback}" }}`);
    }
  }

  window.wagtail.app.register('nl-inbox', Inbox);
})();
