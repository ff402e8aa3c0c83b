// Updates the progress of a long task, such as a send or an import. Reloads the page when the state of the task changes.
(() => {
  const VISIBLE = 2000;
  const HIDDEN = 15000;

  class Progress extends window.StimulusModule.Controller {
    static targets = ['bar', 'count', 'note'];

    static values = { url: String, version: String, offline: String };

    connect() {
      this.wait();
    }

    disconnect() {
      clearTimeout(this.timer);
    }

    wait() {
      this.timer = setTimeout(() => this.refresh(), document.hidden ? HIDDEN : VISIBLE);
    }

    async refresh() {
      try {
        const response = await fetch(this.urlValue, { headers: { accept: 'application/json' }, redirect: 'error' });
        if (response.ok) this.show(await response.json());
      } catch {
        this.noteTarget.textContent = this.offlineValue;
      }
      if (this.element.isConnected) this.wait();
    }

    show(now) {
      if (now.version !== this.versionValue && !this.element.contains(document.activeElement)) {
        window.location.reload();
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
