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

    show() {
      const place = this.element.contentWindow.scrollY;
      this.element.addEventListener('load', () => this.element.contentWindow.scrollTo(0, place), { once: true });
      this.element.contentWindow.location.reload();
    }
  }

  window.wagtail.app.register('nl-watch-mail', WatchMail);
})();
