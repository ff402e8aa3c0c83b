// Keeps the numbers of an import up to date, and draws the page anew when it has come to another state.
(() => {
  const BUSY = 1500;
  const HIDDEN = 15000;

  class ImportProgress extends window.StimulusModule.Controller {
    static targets = ['bar', 'words'];

    static values = { url: String, version: String };

    connect() {
      this.wait();
    }

    disconnect() {
      clearTimeout(this.timer);
    }

    wait() {
      this.timer = setTimeout(() => this.look(), document.hidden ? HIDDEN : BUSY);
    }

    async look() {
      try {
        const response = await fetch(this.urlValue, { headers: { accept: 'application/json' }, redirect: 'error' });
        if (response.ok) this.show(await response.json());
      } catch {
        this.wordsTarget.textContent = 'The desk does not answer at the moment; the import goes on without it.';
      }
      if (this.element.isConnected) this.wait();
    }

    show(now) {
      if (now.version !== this.versionValue) {
        window.location.reload();
        return;
      }
      this.barTarget.max = now.lines;
      this.barTarget.value = now.done;
      if (this.wordsTarget.textContent !== now.words) this.wordsTarget.textContent = now.words;
    }
  }

  window.wagtail.app.register('nl-import-progress', ImportProgress);
})();
