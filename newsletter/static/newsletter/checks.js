// Asks for the checks of an issue while their panel is open, again after each save. A closed panel costs the server nothing.
(() => {
  const RETRY_MS = 4000;

  class Checks extends window.StimulusModule.Controller {
    static values = { url: String };

    connect() {
      this.panel = this.element.closest('[data-side-panel]');
      this.stale = true;
      this.ask = this.ask.bind(this);
      this.noteSaved = () => { this.stale = true; this.ask(); };
      this.panel.addEventListener('show', this.ask);
      document.addEventListener('w-autosave:success', this.noteSaved);
      this.ask();
    }

    disconnect() {
      clearTimeout(this.timer);
      this.asking?.abort();
      this.panel.removeEventListener('show', this.ask);
      document.removeEventListener('w-autosave:success', this.noteSaved);
    }

    async ask() {
      if (!this.stale || this.panel.hidden) return;
      this.stale = false;
      clearTimeout(this.timer);
      this.asking?.abort();
      this.asking = new AbortController();
      const { signal } = this.asking;
      try {
        const answer = await fetch(this.urlValue, { signal, redirect: 'error' });
        if (!answer.ok) throw new Error(answer.statusText);
        this.element.innerHTML = await answer.text();
      } catch {
        if (signal.aborted) return;
        this.stale = true; // the old checks stay until then
        this.timer = setTimeout(this.ask, RETRY_MS);
      }
    }
  }

  window.wagtail.app.register('nl-checks', Checks);
})();
