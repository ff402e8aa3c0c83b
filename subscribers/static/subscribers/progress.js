// Updates the progress of a long task, such as a send or an import. Reloads the page when the state of the task changes,
// but not while that would lose what a person typed, or a message of a refused form.
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

  const wouldLoseText = () =>
    document.activeElement?.matches(FIELDS) ||
    document.querySelector('.messages li.error') !== null ||
    [...document.querySelectorAll(FIELDS)].some(isChanged);

  class Progress extends window.StimulusModule.Controller {
    static targets = ['bar', 'count', 'note'];

    static values = { url: String, version: String, offline: String, outdated: String };

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
        this.noteTarget.textContent = this.offlineValue;
      }
      if (this.element.isConnected) this.wait();
    }

    show(now) {
      if (now.version !== this.versionValue && !this.element.contains(document.activeElement)) {
        if (wouldLoseText()) this.noteTarget.textContent = this.outdatedValue;
        else window.location.reload();
        return;
      }
      if (now.total) this.barTarget.max = now.total;
      this.barTarget.value = now.done;
      if (this.countTarget.textContent !== now.count) this.countTarget.textContent = now.count;
      this.noteTarget.textContent = now.note;
    }
  }

  window.wagtail.app.register('nl-progress', Progress);
})();
