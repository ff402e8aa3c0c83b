// Updates the progress of a send, and reloads the page when its state changes.
(() => {
  const BUSY = 2000;
  const HIDDEN = 15000;

  class SendProgress extends window.StimulusModule.Controller {
    static targets = ['bar', 'people', 'pace'];

    static values = { url: String, version: String };

    connect() {
      this.wait();
    }

    disconnect() {
      clearTimeout(this.timer);
    }

    wait() {
      this.timer = setTimeout(() => this.refresh(), document.hidden ? HIDDEN : BUSY);
    }

    async refresh() {
      try {
        const response = await fetch(this.urlValue, { headers: { accept: 'application/json' }, redirect: 'error' });
        if (response.ok) this.show(await response.json());
      } catch {
        this.paceTarget.textContent = 'The server does not respond, so these numbers may be out of date.';
      }
      if (this.element.isConnected) this.wait();
    }

    show(now) {
      if (now.version !== this.versionValue && !this.element.contains(document.activeElement)) {
        window.location.reload();
        return;
      }
      if (now.recipients) this.barTarget.max = now.recipients;
      this.barTarget.value = now.done;
      if (this.peopleTarget.textContent !== now.people) this.peopleTarget.textContent = now.people;
      this.paceTarget.textContent = now.pace;
    }
  }

  window.wagtail.app.register('nl-send-progress', SendProgress);
})();
