// Says beside a field of the form that its text is too long. Nothing is cut off: the text stays a draft until it is shorter.
(() => {
  class TextLimits extends window.StimulusModule.Controller {
    static values = { message: String };

    connect() {
      this.check = this.check.bind(this);
      this.element.addEventListener('input', this.check);
      // Every block is drawn before this runs.
      this.timer = setTimeout(() => this.checkAll());
    }

    disconnect() {
      clearTimeout(this.timer);
      this.element.removeEventListener('input', this.check);
    }

    checkAll() {
      this.element.querySelectorAll('[data-nl-limit]').forEach((holder) => this.show(holder));
    }

    check({ target }) {
      const holder = target.closest('[data-nl-limit]');
      if (!holder) return;
      this.show(holder);
      const message = holder.querySelector('.nl-too-long');
      if (message) window.announceAfterPause(message.textContent);
    }

    show(holder) {
      const field = holder.querySelector('input:not([type=hidden]), textarea');
      const limit = Number(holder.dataset.nlLimit);
      const length = window.countCharacters(field.value.trim());
      const present = holder.querySelector('.nl-too-long');
      if (length <= limit) {
        if (present) this.mark(field, false);
        present?.remove();
        return;
      }
      const message = present || document.createElement('p');
      message.className = 'error-message nl-too-long';
      message.id = `${field.id}-too-long`;
      message.textContent = this.messageValue.replace('{n}', length).replace('{m}', limit);
      if (present) return;
      holder.querySelector('[data-field-errors]').append(message);
      this.mark(field, true);
    }

    mark(field, wrong) {
      field.closest('.w-field').classList.toggle('w-field--error', wrong);
      field.toggleAttribute('aria-invalid', wrong);
      if (wrong) field.setAttribute('aria-invalid', 'true');
      const described = (field.getAttribute('aria-describedby') || '').split(' ');
      const others = described.filter((id) => id && !id.endsWith('-too-long'));
      field.setAttribute('aria-describedby', [...others, ...(wrong ? [`${field.id}-too-long`] : [])].join(' '));
    }
  }

  window.wagtail.app.register('nl-text-limits', TextLimits);
})();
