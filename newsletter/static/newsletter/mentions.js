// Offers the names of colleagues while somebody writes @ in a comment.
(() => {
  const TYPED = /(?:^|[^\w.+@-])@([\w.+@-]*)$/;
  const MAX_NAMES = 6;

  class Mentions extends window.StimulusModule.Controller {
    static values = { names: Array };

    connect() {
      this.list = document.createElement('ul');
      Object.assign(this.list, { id: `${this.element.id}-names`, className: 'nl-mentions', hidden: true });
      this.list.setAttribute('role', 'listbox');
      this.list.setAttribute('aria-label', this.element.dataset.nlMentionsLabel);
      this.list.addEventListener('mousedown', (event) => event.preventDefault());
      this.list.addEventListener('click', ({ target }) => this.take(target.closest('li').textContent));
      this.element.after(this.list);
      this.element.setAttribute('aria-autocomplete', 'list');
      this.element.setAttribute('aria-controls', this.list.id);
    }

    disconnect() {
      this.list.remove();
    }

    get typed() {
      const { value, selectionStart } = this.element;
      return value.slice(0, selectionStart).match(TYPED)?.[1];
    }

    show() {
      const { typed } = this;
      const matches = (name) => name.toLowerCase().includes(typed.toLowerCase());
      const found = typed === undefined ? [] : this.namesValue.filter(matches);
      this.list.replaceChildren(...found.slice(0, MAX_NAMES).map((name, at) => {
        const option = document.createElement('li');
        Object.assign(option, { id: `${this.list.id}-${at}`, textContent: name });
        option.setAttribute('role', 'option');
        return option;
      }));
      this.list.hidden = !found.length;
      this.select(0);
    }

    hide() {
      this.list.hidden = true;
      this.element.removeAttribute('aria-activedescendant');
    }

    select(at) {
      const options = [...this.list.children];
      this.selected = options.length ? (at + options.length) % options.length : 0;
      options.forEach((option, index) => option.setAttribute('aria-selected', String(index === this.selected)));
      if (options.length) this.element.setAttribute('aria-activedescendant', options[this.selected].id);
      else this.element.removeAttribute('aria-activedescendant');
    }

    press(event) {
      if (this.list.hidden) return;
      const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (move) this.select(this.selected + move);
      else if (event.key === 'Enter' || event.key === 'Tab') this.take(this.list.children[this.selected].textContent);
      else if (event.key === 'Escape') this.hide();
      else return;
      event.preventDefault();
      event.stopPropagation();
    }

    take(name) {
      const { selectionStart } = this.element;
      this.element.setRangeText(`${name} `, selectionStart - this.typed.length, selectionStart, 'end');
      this.hide();
    }
  }

  window.wagtail.app.register('nl-mentions', Mentions);
})();
