// Keeps the numbers of a send that is going out up to date, and draws the page anew when there is something else to decide.
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
      this.timer = setTimeout(() => this.look(), document.hidden ? HIDDEN : BUSY);
    }

    async look() {
      try {
        const response = await fetch(this.urlValue, { headers: { accept: 'application/json' }, redirect: 'error' });
        if (response.ok) this.show(await response.json());
      } catch {
        this.paceTarget.textContent = 'The desk does not answer at the moment; these numbers may be old.';
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
