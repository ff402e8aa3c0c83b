// Shows each change of the form in the preview at once: asks for the mail of the form as it is and changes only what differs.
(() => {
  const WAIT_MS = 20; // one key is several events
  const LOOK_AGAIN_MS = 100;
  const RETRY_MS = 4000;
  const ANSWER_MS = 60000; // without a limit, one answer that never comes would end the preview
  const LONGEST_MS = 240000;
  const SETTLE_MS = 700; // the rich text editor writes to its field with a delay
  const NOT_IN_MAIL = ['csrfmiddlewaretoken', 'loaded_revision_id', 'loaded_revision_created_at'];
  const EVENTS = ['input', 'change', 'keyup', 'click', 'drop', 'w-unsaved:add'];

  class LivePreview extends window.StimulusModule.Controller {
    connect() {
      this.form = document.querySelector('[data-edit-form]');
      this.panel = this.element.closest('[data-controller~="w-preview"]');
      this.panel.dataset.wPreviewAutoUpdateIntervalValue = '0';
      this.sidePanel = this.panel.closest('[data-side-panel]');
      this.mode = this.panel.querySelector('[name=preview_mode]');
      this.answerMs = ANSWER_MS;
      this.listeners = [
        [this.panel, 'w-preview:update', () => this.noteLoading()],
        [this.panel, 'w-preview:error', () => { this.shown = null; }],
        [this.panel, 'w-preview:updated', () => this.noteLoaded()],
        [this.sidePanel, 'show', () => this.wait(WAIT_MS)],
        [this.mode, 'change', () => this.note()],
        ...EVENTS.map((name) => [this.form, name, () => this.note()]),
      ];
      this.listeners.forEach(([target, name, listener]) => target.addEventListener(name, listener, true));
      if (this.loader?.ready) this.noteLoaded(); // its first request has failed already
      else if (this.loader?.updatePromise) this.limitLoading();
    }

    disconnect() {
      clearTimeout(this.timer);
      this.loading = null;
      this.listeners.forEach(([target, name, listener]) => target.removeEventListener(name, listener, true));
    }

    // Wagtail's controller loads a whole page: first, for another version, and if there is no page that this script can change.
    get loader() {
      return this.application.getControllerForElementAndIdentifier(this.panel, 'w-preview');
    }

    // What the mail depends on.
    get written() {
      const data = new FormData(this.form);
      NOT_IN_MAIL.forEach((name) => data.delete(name));
      data.set('preview_mode', this.mode.value);
      return new URLSearchParams(data).toString();
    }

    noteLoading() {
      this.shown = this.written;
      this.limitLoading();
    }

    // Wagtail's controller loads nothing else until its last page is there.
    limitLoading() {
      const loading = AbortSignal.timeout(this.answerMs);
      this.loading = loading;
      loading.addEventListener('abort', () => {
        if (this.loading !== loading) return;
        this.shown = null;
        this.gaveUp = true;
        if (!this.asking) this.waitLonger();
        this.panel.querySelectorAll('iframe:not([id])').forEach((iframe) => iframe.remove());
        this.loader.finishUpdate();
      });
    }

    waitLonger() {
      this.answerMs = Math.min(this.answerMs * 2, LONGEST_MS);
    }

    noteLoaded() {
      this.loading = null;
      if (!this.hasPage || this.gaveUp) this.shown = null; // a load that was given up may end late, with an older form
      this.showErrors(!this.explainsItself && this.panel.classList.contains('w-preview--has-errors'));
      if (this.shown === null) this.wait(RETRY_MS);
      else if (this.skipped) this.wait(WAIT_MS);
    }

    note() {
      this.noted = Date.now();
      this.dispatch('begun');
      this.wait(WAIT_MS);
    }

    wait(time) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.check(), time);
    }

    async check() {
      const { written } = this;
      const isOld = written !== this.shown && !this.asking && !this.sidePanel.hidden;
      this.skipped = isOld && Boolean(this.loader.updatePromise); // a page is being loaded, of an older form
      let missed = false;
      let failed = false;
      if (isOld && !this.skipped) {
        this.asking = true;
        await this.ask().then(() => { this.shown = written; }, (error) => { // the old mail stays
          failed = true;
          if (error.name === 'TimeoutError') this.waitLonger();
        });
        this.asking = false;
        missed = this.written !== written;
      }
      if (missed) this.wait(WAIT_MS);
      else if (!this.asking) this.dispatch('ended');
      if (failed && !missed) this.wait(RETRY_MS);
      else if (!missed && Date.now() - this.noted < SETTLE_MS) this.wait(LOOK_AGAIN_MS);
    }

    get frame() {
      return document.getElementById('w-preview-iframe');
    }

    // False before the first answer, and if the browser or the server shows an error in place of an answer.
    get hasPage() {
      const { contentDocument: shown, contentWindow: view } = this.frame;
      if (!shown || shown.URL === 'about:blank') return false;
      return !(view.performance.getEntriesByType('navigation')[0]?.responseStatus >= 500);
    }

    // True if a message is there in place of the mail: the banner over an old mail would say it twice.
    get explainsItself() {
      return Boolean(this.frame.contentDocument?.querySelector('[data-message]'));
    }

    async ask() {
      window.saveObstacles.takeToken();
      if (!this.hasPage) {
        const loaded = this.loader.setPreviewData();
        const { loading } = this;
        const limit = new Promise((resolve) => { loading.addEventListener('abort', resolve); });
        await Promise.race([loaded, limit]);
        loading.throwIfAborted();
        return;
      }
      const url = new URL(this.panel.dataset.wPreviewUrlValue, window.location.href);
      url.searchParams.set('mode', this.mode.value);
      const body = new FormData(this.form);
      const headers = { Accept: 'text/html' };
      const signal = AbortSignal.timeout(this.answerMs);
      const answer = await fetch(url, { method: 'POST', body, headers, signal, redirect: 'error' });
      const html = await answer.text();
      this.answerMs = ANSWER_MS;
      const { contentDocument: shown, contentWindow: view } = this.frame;
      // A parser of the iframe has the content policy of the mail, which allows its inline styles.
      const fresh = new view.DOMParser().parseFromString(html, 'text/html');
      const failure = new Error(`The preview answered ${answer.status}.`);
      if (!answer.ok && !fresh.querySelector('[data-message]')) throw failure;
      const keepsMail = !answer.ok && !this.explainsItself; // the last good mail stays
      this.showErrors(keepsMail);
      if (keepsMail) {
        this.explain(fresh);
      } else {
        patch(shown.documentElement, fresh.documentElement);
        this.dispatch('shown');
      }
      if (answer.status >= 500) throw failure; // the disk or the server failed: it is asked again
    }

    // The banner describes the mail. While it is hidden, its text says what is no longer so.
    showErrors(hasErrors) {
      this.panel.classList.toggle('w-preview--has-errors', hasErrors);
      if (hasErrors) this.frame.setAttribute('aria-describedby', 'w-preview-error-banner');
      else this.frame.removeAttribute('aria-describedby');
    }

    explain(message) {
      const [title, details] = ['title', 'details'].map((name) => this.panel.querySelector(`.w-preview__error-${name}`));
      title.textContent = message.querySelector('h1').textContent;
      details.textContent = [...message.querySelectorAll('p, li')].map((line) => line.textContent).join(' ');
    }
  }

  // Makes one element like another and leaves what is the same as it is, so that nothing flickers or moves.
  function patch(shown, fresh) {
    if (shown.isEqualNode(fresh)) return;
    if (shown.nodeName !== fresh.nodeName || shown.nodeType !== Node.ELEMENT_NODE || fresh.nodeName === 'STYLE') {
      shown.replaceWith(shown.ownerDocument.importNode(fresh, true));
      return;
    }
    [...shown.attributes].forEach(({ name }) => fresh.hasAttribute(name) || shown.removeAttribute(name));
    [...fresh.attributes].forEach(({ name, value }) => shown.getAttribute(name) === value || shown.setAttribute(name, value));
    const [old, young] = [[...shown.childNodes], [...fresh.childNodes]];
    young.forEach((child, at) => {
      if (old[at]) patch(old[at], child);
      else shown.append(shown.ownerDocument.importNode(child, true));
    });
    old.slice(young.length).forEach((child) => child.remove());
  }

  window.wagtail.app.register('nl-live-preview', LivePreview);
})();
