// Updates the progress of a long task, such as a send or an import. Reloads the page when the state of the task changes,
// but not while that would lose what a person typed, where the keyboard is, or a message of a refused form.
(() => {
  const VISIBLE = 2000;
  const HIDDEN = 15000; // also the longest wait while answers fail
  const ANSWER_MS = 30000;
  const FIELDS = 'input:not([type=hidden]), textarea, select';

  const isChanged = (field) => {
    if (field.options) {
      const initial = [...field.options].map((option) => option.defaultSelected);
      if (!field.multiple && !initial.includes(true)) return field.selectedIndex > 0;
      return [...field.options].some((option, index) => option.selected !== initial[index]);
    }
    if (field.type === 'checkbox' || field.type === 'radio') return field.checked !== field.defaultChecked;
    return field.value !== field.defaultValue;
  };

  const hasText = () => document.activeElement?.matches(FIELDS) || [...document.querySelectorAll(FIELDS)].some(isChanged);

  // The focus is visible if the keyboard moved it, or the page moved it to its message. A reload would move it to the top.
  const hasKeyboard = () => document.activeElement?.matches(':focus-visible') && !document.activeElement.closest('.messages');

  const isUsed = () => hasText() || hasKeyboard() || document.querySelector('.messages li.error') !== null;

  // A live region reads each new text aloud, also one that is the same as before.
  const write = (target, text) => { if (target.textContent !== text) target.textContent = text; };

  class Progress extends window.StimulusModule.Controller {
    static targets = ['bar', 'count', 'note'];

    static values = { url: String, version: String, offline: String, outdated: String, unsaved: String };

    connect() {
      this.failures = 0;
      this.wait();
    }

    disconnect() {
      clearTimeout(this.timer);
    }

    wait() {
      const pause = Math.min(VISIBLE * 2 ** this.failures, HIDDEN);
      this.timer = setTimeout(() => this.refresh(), document.hidden ? HIDDEN : pause);
    }

    async refresh() {
      try {
        const headers = { accept: 'application/json' };
        const signal = AbortSignal.timeout(ANSWER_MS);
        const response = await fetch(this.urlValue, { headers, signal, redirect: 'error' });
        if (!response.ok) throw new Error(`The task answered ${response.status}.`);
        this.show(await response.json());
        this.failures = 0;
      } catch {
        this.failures += 1;
        write(this.noteTarget, this.offlineValue);
      }
      if (this.element.isConnected) this.wait();
    }

    show(now) {
      const isOutdated = now.version !== this.versionValue;
      if (isOutdated && !isUsed()) {
        window.location.reload();
        return;
      }
      if (now.total) this.barTarget.max = now.total;
      this.barTarget.value = now.done;
      write(this.countTarget, now.count);
      const outdated = [this.outdatedValue, hasText() && this.unsavedValue].filter(Boolean).join(' ');
      write(this.noteTarget, isOutdated ? outdated : now.note);
    }
  }

  window.wagtail.app.register('nl-progress', Progress);
})();
