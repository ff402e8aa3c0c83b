// Keeps what is typed in an editor: the form takes input when its edits are watched, and a lost connection or session ends
// nothing. Wagtail's w-unsaved compares the form with a baseline, and its w-autosave saves the form when it differs.
(() => {
  const { saveObstacles, savedForm } = window;
  const RETRY_MS = 4000;
  const SETTLE_MS = 700; // the rich text editor writes to its field with a delay
  const LEAVE_MS = 8000;
  const STEP_MS = 50;
  const PREVIEW_MS = 5000;
  const READ_MS = 2500; // “Saved” is read aloud once no more is typed for so long
  const FREE = 'free';
  const ASKED = 'asked';
  const ALLOWED = 'allowed';
  const SENT = 'sent';
  const EVENTS = ['beforeinput', 'input', 'change', 'click', 'w-unsaved:add'];

  class KeepEdits extends window.StimulusModule.Controller {
    static values = { url: String, trySaving: String, conflict: String };

    connect() {
      this.form = this.element.closest('form');
      // Else the browser fills in the form again when staff come back: by the numbered names of fields, so that texts of
      // a moved or deleted block overwrite those of another.
      this.form.autocomplete = 'off';
      this.submission = FREE;
      this.windowId = [...crypto.getRandomValues(new Uint32Array(3))].map((part) => part.toString(16)).join('-');
      this.saveNumber = 0;
      this.listeners = [
        [document, 'nl-live-preview:begun', () => this.beginPreview()],
        [document, 'nl-live-preview:ended', () => this.endPreview()],
        [document, 'w-autosave:save', (event) => this.beginSave(event)],
        [document, 'w-autosave:success', () => this.noteSaved()],
        [document, 'w-autosave:error', (event) => this.noteError(event)],
        [document, 'w-unsaved:watch-edits', () => this.setBaseline()],
        [document, 'w-dialog:shown', (event) => this.describeDialog(event)],
        [window, 'online', () => this.retry()],
        [window, 'focus', () => this.retry()],
        [window, 'beforeunload', (event) => this.confirmLeaving(event)],
        [window, 'pageshow', () => this.free()],
        [window, 'click', (event) => this.saveBeforeLeaving(event)],
        [this.form, 'submit', (event) => this.submit(event)],
        [this.form, 'formdata', ({ formData }) => { if (this.submission === SENT) this.nameSave(formData); }],
        ...EVENTS.map((name) => [this.form, name, (event) => this.noteEdit(event)]),
      ];
      this.listeners.forEach(([target, name, listener]) => target.addEventListener(name, listener, true));
      this.endLimit = savedForm.limitSaves(this.form);
      // Every controller of the page is connected, and so every block is drawn, before this runs.
      this.openTimer = setTimeout(() => this.open());
    }

    disconnect() {
      clearTimeout(this.openTimer);
      clearTimeout(this.retryTimer);
      clearTimeout(this.settleTimer);
      clearTimeout(this.previewTimer);
      clearTimeout(this.readTimer);
      this.listeners.forEach(([target, name, listener]) => target.removeEventListener(name, listener, true));
      this.endLimit();
    }

    controller(name) {
      return this.application.getControllerForElementAndIdentifier(this.form, name);
    }

    get unsaved() {
      return this.controller('w-unsaved');
    }

    get isUnsaved() {
      if (this.savedData === undefined) return false;
      return Date.now() < this.settledAt || this.unsaved.formData !== this.savedData;
    }

    open() {
      if (this.unsaved) savedForm.ignoreFormat(this.unsaved);
      this.savedData = this.unsaved?.formData;
      this.unsaved?.setInitialFormData();
      this.element.removeAttribute('inert');
      this.element.removeAttribute('aria-busy');
    }

    // The baseline is what the server has, not what the form has when Wagtail asks: more may have been typed meanwhile.
    setBaseline() {
      if (this.savedData && this.unsaved) this.unsaved.initialFormData = this.savedData;
    }

    noteEdit({ type, target }) {
      if (type === 'beforeinput' && target.closest('[contenteditable=true]')) this.settledAt = Date.now() + SETTLE_MS;
      this.showStateSoon();
      if (type !== 'click') clearTimeout(this.readTimer);
      clearTimeout(this.settleTimer);
      this.settleTimer = setTimeout(() => this.showState(), SETTLE_MS);
    }

    showStateSoon() {
      setTimeout(() => this.showState());
    }

    // Wagtail's indicator says "Saved" until its next save begins. Here it says so only if everything is saved.
    showState() {
      const { dataset } = document.getElementById('w-autosave-indicator');
      if (dataset.wAutosaveStateValue === 'paused') return;
      if (!this.isUnsaved && (this.isSending || dataset.wAutosaveStateValue !== 'saving')) return;
      dataset.wAutosaveStateValue = this.isUnsaved ? 'saving' : 'saved';
      dataset.wTooltipContentValue = '';
    }

    // Wagtail notes edits with a delay, and its own listener, which runs first, asks only about what it has noted.
    confirmLeaving(event) {
      if (!this.isUnsaved || this.unsaved.hasEditsValue) return;
      this.unsaved.hasEditsValue = true;
      this.unsaved.confirm(event);
      if (!event.defaultPrevented) this.unsaved.confirmationValue = false;
    }

    // Saves before a link leads away. If that fails, the browser asks whether to leave.
    async saveBeforeLeaving(event) {
      const link = event.target.closest('a[href]');
      if (!link || this.isFollowing || !leadsAway(link, event) || !this.isUnsaved) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      this.isFollowing = true;
      await this.saveAll();
      link.click();
      this.isFollowing = false;
    }

    async saveAll() {
      const end = Date.now() + LEAVE_MS;
      this.hasFailed = false;
      while (this.isUnsaved && !this.hasFailed && this.controller('w-autosave').activeValue && Date.now() < end) {
        if (!this.isSending) this.save();
        await new Promise((resolve) => { setTimeout(resolve, STEP_MS); });
      }
    }

    // Wagtail asks before it saves over a newer version. Here nothing that somebody else saved is overwritten.
    describeDialog({ target }) {
      if (target.id !== 'w-save-confirmation-dialog') return;
      target.querySelector('[data-w-dialog-target=confirm]').textContent = this.trySavingValue;
      if (!document.querySelector('.w-editing-sessions__session--saved')) return;
      document.getElementById(`subtitle-${target.id}`).textContent = this.conflictValue;
    }

    // The preview goes first: a save beside it would take the server's time from what somebody waits for. Once a preview
    // has taken long, no save waits for it: edits in between do not begin the time again.
    beginPreview() {
      if (this.previewTimer) return;
      this.isPreviewing = true;
      this.previewTimer = setTimeout(() => this.savePostponed(), PREVIEW_MS);
    }

    endPreview() {
      clearTimeout(this.previewTimer);
      this.previewTimer = null;
      this.savePostponed();
    }

    beginSave(event) {
      this.isPostponed = Boolean(this.isPreviewing && !this.isFollowing);
      if (this.isPostponed) {
        event.preventDefault();
        return;
      }
      this.sentData = this.unsaved?.formData;
      this.isSending = true;
      this.saveNumber += 1;
      this.nameSave(event.detail.formData);
    }

    // By this, the server tells a repeated save from one of another window, and the older of two saves from the newer.
    nameSave(formData) {
      const [windowName, numberName] = savedForm.NAMES_OF_SAVE;
      formData.set(windowName, this.windowId);
      formData.set(numberName, this.saveNumber);
    }

    savePostponed() {
      this.isPreviewing = false;
      if (!this.isPostponed) return;
      this.isPostponed = false;
      this.save();
    }

    noteSaved() {
      this.savedData = this.sentData;
      this.isSending = false;
      this.isUnreachable = false;
      this.show(null);
      this.showStateSoon();
      setTimeout(() => this.endConflict());
      this.readStateLater();
    }

    readStateLater() {
      clearTimeout(this.readTimer);
      this.readTimer = setTimeout(() => {
        const state = document.querySelector('.w-autosave-indicator__state--saved');
        if (!this.isUnsaved && !this.isSending && state) window.announce(state.textContent.trim());
      }, READ_MS);
    }

    // While a save had no answer, Wagtail may have taken its version for that of another window.
    endConflict() {
      const element = document.querySelector('.w-editing-sessions');
      const session = element && this.application.getControllerForElementAndIdentifier(element, 'w-session');
      if (!session?.interceptValue) return;
      session.interceptValue = '';
      session.ping();
    }

    noteError({ detail: { type } }) {
      this.isSending = false;
      this.hasFailed = true;
      if (type !== 'network_error' && type !== 'server_error') return;
      this.isUnreachable = true;
      this.retry({ later: true });
    }

    async retry({ later = false } = {}) {
      if (!this.isUnreachable) return;
      clearTimeout(this.retryTimer);
      const obstacle = await saveObstacles.find(this.urlValue);
      clearTimeout(this.retryTimer); // another call may have set it meanwhile
      this.show(obstacle);
      if (!obstacle && !later) this.save();
      else this.retryTimer = setTimeout(() => this.retry(), RETRY_MS);
    }

    save() {
      if (this.unsaved.formData !== this.savedData) this.controller('w-autosave').save(new Event('retry'));
    }

    show(obstacle) {
      const { OFFLINE, SIGNED_OUT } = saveObstacles;
      [OFFLINE, SIGNED_OUT].forEach((name) => { document.getElementById(`nl-${name}`).hidden = name !== obstacle; });
    }

    // Leaves the page only if the server can answer, and once.
    async submit(event) {
      if (this.submission === ALLOWED) {
        this.submission = SENT;
        this.saveNumber += 1;
        this.endWait = saveObstacles.whenStopped(() => this.free(event.submitter));
        return;
      }
      event.preventDefault();
      event.stopImmediatePropagation();
      if (this.submission !== FREE) return;
      this.submission = ASKED;
      const obstacle = await saveObstacles.find(this.urlValue);
      this.show(obstacle);
      if (!obstacle) {
        this.submission = ALLOWED;
        this.form.requestSubmit(event.submitter);
        return;
      }
      this.free(event.submitter);
      this.isUnreachable = true;
      this.retry({ later: true });
    }

    free(submitter) {
      this.endWait?.();
      this.submission = FREE;
      const progress = submitter && this.application.getControllerForElementAndIdentifier(submitter, 'w-progress');
      if (progress) progress.loadingValue = false;
    }
  }

  function leadsAway(link, event) {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return false;
    if (link.target === '_blank' || link.hasAttribute('download') || link.closest('[role=dialog]')) return false;
    const { origin, pathname, search } = window.location;
    return link.origin + link.pathname + link.search !== origin + pathname + search;
  }

  window.wagtail.app.register('nl-keep-edits', KeepEdits);
})();
