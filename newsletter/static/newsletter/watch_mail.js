// Loads the mail of an iframe again when its text has changed, and keeps the place in it.
(() => {
  const EVERY_MS = 5000;

  class WatchMail extends window.StimulusModule.Controller {
    connect() {
      this.timer = setInterval(() => this.look(), EVERY_MS);
      this.look();
    }

    disconnect() {
      clearInterval(this.timer);
    }

    // Without a connection nothing changes: the next look tries again.
    async look() {
      if (document.hidden) return;
      const answer = await fetch(this.element.src).catch(() => null);
      const text = answer?.ok ? await answer.text() : this.text;
      if (this.text !== undefined && text !== this.text) this.show();
      this.text = text;
    }

    // A mail that the browser could not load has no document for this script: it is asked for from the start.
    show() {
      const { element } = this;
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
