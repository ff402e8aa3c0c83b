// Asks for the checks of an issue while their panel is open, again after each save. A closed panel costs the server nothing.
(() => {
  const RETRY_MS = 4000;
  const ANSWER_MS = 120000; // longer than a busy server takes

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
      this.asking = null;
      this.panel.removeEventListener('show', this.ask);
      document.removeEventListener('w-autosave:success', this.noteSaved);
    }

    async ask() {
      if (!this.stale || this.panel.hidden) return;
      this.stale = false;
      clearTimeout(this.timer);
      this.asking?.abort();
      const asking = new AbortController();
      const { signal } = asking;
      this.asking = asking;
      AbortSignal.timeout(ANSWER_MS).addEventListener('abort', () => asking.abort());
      try {
        const answer = await fetch(this.urlValue, { signal, redirect: 'error' });
        if (!answer.ok) throw new Error(answer.statusText);
        this.element.innerHTML = await answer.text();
      } catch {
        if (this.asking !== asking) return; // a newer request, or the page is left
        this.stale = true; // the old checks stay until then
        this.timer = setTimeout(this.ask, RETRY_MS);
      }
    }
  }

  window.wagtail.app.register('nl-checks', Checks);
})();
