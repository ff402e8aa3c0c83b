// Keeps what is typed into a form without autosave: the form is sent only if the server can answer, and once. Until then the
// text stays on the page, and nowhere else. Wagtail's w-unsaved asks before the page is left, but takes what is typed in the
// first two seconds for the stored text; here, the stored text is what the form has before the first key or click.
(() => {
  const { saveObstacles } = window;
  const FREE = 'free';
  const ASKED = 'asked';
  const ALLOWED = 'allowed';
  const SENT = 'sent';
  const FIRST_INPUTS = ['beforeinput', 'keydown', 'pointerdown', 'dragenter'];

  class KeepText extends window.StimulusModule.Controller {
    static targets = ['offline', 'signedOut'];

    connect() {
      this.form = this.element.closest('form');
      // Blocks have numbered names: when staff come back, the browser would fill the text of one into another.
      if (this.form.querySelector('[data-block], [data-streamfield-stream-container]')) this.form.autocomplete = 'off';
      this.state = FREE;
      this.listeners = [
        [this.form, 'submit', (event) => this.submit(event)],
        [window, 'online', () => this.checkAgain()],
        [window, 'focus', () => this.checkAgain()],
        [window, 'pageshow', () => this.free()],
        [window, 'beforeunload', (event) => this.confirmLeaving(event)],
        [document, 'w-unsaved:watch-edits', () => this.setBaseline()],
        ...FIRST_INPUTS.map((name) => [this.form, name, () => this.readStoredData()]),
      ];
      this.listeners.forEach(([target, name, listener]) => target.addEventListener(name, listener, true));
    }

    disconnect() {
      this.listeners.forEach(([target, name, listener]) => target.removeEventListener(name, listener, true));
    }

    get unsaved() {
      return this.application.getControllerForElementAndIdentifier(this.form, 'w-unsaved');
    }

    readStoredData() {
      if (this.storedData === undefined) this.storedData = this.unsaved?.formData;
    }

    setBaseline() {
      if (this.storedData !== undefined) this.unsaved.initialFormData = this.storedData;
    }

    confirmLeaving(event) {
      const { unsaved } = this;
      if (this.storedData === undefined || !unsaved.confirmationValue || unsaved.formData === this.storedData) return;
      event.preventDefault();
    }

    async submit(event) {
      if (this.state === ALLOWED) {
        this.state = SENT;
        this.endWait = saveObstacles.whenStopped(() => this.free(event.submitter));
        return;
      }
      event.preventDefault();
      event.stopImmediatePropagation();
      if (this.state !== FREE) return;
      this.state = ASKED;
      const { submitter } = event;
      const obstacle = await saveObstacles.find(this.form.action);
      this.show(obstacle);
      if (obstacle) {
        this.free(submitter);
        return;
      }
      this.state = ALLOWED;
      this.form.requestSubmit(submitter);
    }

    free(submitter) {
      this.endWait?.();
      this.state = FREE;
      const progress = submitter && this.application.getControllerForElementAndIdentifier(submitter, 'w-progress');
      // Wagtail disables the button by such a timer, after the click.
      if (progress) setTimeout(() => progress.deactivate());
    }

    async checkAgain() {
      if (this.obstacle) this.show(await saveObstacles.find(this.form.action));
    }

    show(obstacle) {
      this.obstacle = obstacle;
      this.offlineTarget.hidden = obstacle !== saveObstacles.OFFLINE;
      this.signedOutTarget.hidden = obstacle !== saveObstacles.SIGNED_OUT;
    }
  }

  window.wagtail.app.register('nl-keep-text', KeepText);
})();
