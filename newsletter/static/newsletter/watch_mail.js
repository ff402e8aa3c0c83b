// Loads the mail of an iframe again when its text has changed or it could not be loaded, and keeps the place in it.
(() => {
  const EVERY_MS = 5000;
  const ANSWER_MS = 30000;

  class WatchMail extends window.StimulusModule.Controller {
    connect() {
      this.noteLoaded = () => { this.isLoading = false; };
      this.element.addEventListener('load', this.noteLoaded);
      this.timer = setInterval(() => this.look(), EVERY_MS);
      this.look();
    }

    disconnect() {
      clearInterval(this.timer);
      this.element.removeEventListener('load', this.noteLoaded);
    }

    // Without a connection, or after the session ended, nothing changes: the next look tries again.
    async look() {
      if (document.hidden || this.isAsking) return;
      this.isAsking = true;
      const text = await this.ask().catch(() => null);
      this.isAsking = false;
      if (text === null) return;
      const isChanged = this.text !== undefined && text !== this.text;
      if (isChanged || (this.hasFailed && !this.isLoading)) this.show();
      this.text = text;
    }

    async ask() {
      const signal = AbortSignal.timeout(ANSWER_MS);
      const answer = await fetch(this.element.src, { signal, redirect: 'error' });
      return answer.ok ? answer.text() : null;
    }

    // True if the browser or the server shows an error in place of the mail.
    get hasFailed() {
      const { contentDocument: shown, contentWindow: view } = this.element;
      return !shown || view.performance.getEntriesByType('navigation')[0]?.responseStatus >= 400;
    }

    // A mail that the browser could not load has no document for this script: it is asked for from the start.
    show() {
      const { element } = this;
      this.isLoading = true;
      if (!element.contentDocument) {
        element.src = String(element.src);
        return;
      }
      const { scrollY } = element.contentWindow;
      const scrollBack = () => element.contentDocument && element.contentWindow.scrollTo(0, scrollY);
      element.addEventListener('load', scrollBack, { once: true });
      element.contentWindow.location.reload();
    }
  }

  window.wagtail.app.register('nl-watch-mail', WatchMail);
})();
