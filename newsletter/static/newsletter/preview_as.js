// Combines “Version” and “Shown as” into the mode of the preview panel, and searches for a person.
(() => {
  const WAIT_MS = 300;
  const ANSWER_MS = 30000;

  class PreviewAs extends window.StimulusModule.Controller {
    static targets = ['mode', 'readers', 'part', 'asked', 'found', 'hint'];

    static values = { url: String, offline: String };

    // On phones the mail scrolls inside its panel: the keyboard must reach what scrolls.
    connect() {
      const area = document.querySelector('.w-preview__wrapper');
      area.tabIndex = 0;
      area.setAttribute('role', 'group');
      area.setAttribute('aria-label', area.querySelector('iframe').title);
    }

    choose() {
      const readers = this.readersTarget.value;
      const name = this.hasPartTarget ? `${this.partTarget.value}.${readers}` : readers;
      const isOffered = [...this.modeTarget.options].some((option) => option.value === name);
      if (!isOffered) this.modeTarget.add(new Option(name, name));
      this.modeTarget.value = name;
      this.modeTarget.dispatchEvent(new Event('change', { bubbles: true }));
    }

    disconnect() {
      clearTimeout(this.timer);
    }

    search(event) {
      event.stopPropagation();
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.fetchPeople(), WAIT_MS);
    }

    async fetchPeople() {
      const query = this.askedTarget.value;
      try {
        const response = await fetch(this.urlValue, {
          method: 'POST',
          body: new URLSearchParams({ q: query }),
          headers: { 'X-CSRFToken': document.querySelector('[name=csrfmiddlewaretoken]').value },
          signal: AbortSignal.timeout(ANSWER_MS),
          redirect: 'error',
        });
        if (!response.ok) throw new Error(String(response.status));
        const answer = await response.json();
        if (query === this.askedTarget.value) this.show(answer);
      } catch {
        this.hintTarget.textContent = this.offlineValue;
      }
    }

    show({ people, hint }) {
      this.foundTarget.replaceChildren(...people.map((person) => this.row(person)));
      this.hintTarget.textContent = hint || people.map((person) => person.note).find(Boolean) || '';
    }

    row(person) {
      const button = Object.assign(document.createElement('button'), { type: 'button', textContent: person.label });
      button.className = 'button button-small button-secondary';
      button.addEventListener('click', () => this.pick(person));
      const item = document.createElement('li');
      item.append(button);
      return item;
    }

    pick(person) {
      const option = [...this.readersTarget.options].find(({ value }) => value === person.mode);
      if (!option) this.readersTarget.add(new Option(person.label, person.mode));
      this.readersTarget.value = person.mode;
      this.hintTarget.textContent = person.note;
      this.choose();
    }
  }

  window.wagtail.app.register('nl-preview-as', PreviewAs);
})();
